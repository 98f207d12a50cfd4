# Completion of skerry for bash. Made by .ci/generate-documents.ts: not to be edited.
# shellcheck shell=bash

_skerry_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }
_skerry_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); }
_skerry_folders() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); }

_skerry() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    _skerry_words 'up master agent token node certs apply check status nodes pods logs get describe delete down version help'
    return
  fi
  case ${COMP_WORDS[1]} in
    up)
      case $before in
        --config | --kubeconfig) _skerry_files ;;
        --data-dir) _skerry_folders ;;
        --listen | --advertise-address | --cluster-cidr | --node-cidr-mask-size | --service-cidr | --node-name | --node-ip) : ;;
        --runtime) _skerry_words 'auto podman containerd' ;;
        --log-level) _skerry_words 'error warn info debug' ;;
        --log-format) _skerry_words 'auto plain json' ;;
        *) _skerry_words '--config --data-dir --listen --kubeconfig --advertise-address --cluster-cidr --node-cidr-mask-size --service-cidr --runtime --node-name --node-ip --log-level --log-format --help' ;;
      esac
      ;;
    master)
      case $before in
        --config | --kubeconfig) _skerry_files ;;
        --data-dir) _skerry_folders ;;
        --listen | --advertise-address | --cluster-cidr | --node-cidr-mask-size | --service-cidr) : ;;
        --log-level) _skerry_words 'error warn info debug' ;;
        --log-format) _skerry_words 'auto plain json' ;;
        *) _skerry_words '--config --data-dir --listen --kubeconfig --advertise-address --cluster-cidr --node-cidr-mask-size --service-cidr --log-level --log-format --help' ;;
      esac
      ;;
    agent)
      case $before in
        --config | --token-file) _skerry_files ;;
        --server | --token | --node-name | --node-ip) : ;;
        --data-dir) _skerry_folders ;;
        --runtime) _skerry_words 'auto podman containerd' ;;
        --log-level) _skerry_words 'error warn info debug' ;;
        --log-format) _skerry_words 'auto plain json' ;;
        *) _skerry_words '--config --server --token --token-file --data-dir --runtime --node-name --node-ip --log-level --log-format --help' ;;
      esac
      ;;
    token)
      case $before in
        --ttl | --uses | --node-name) : ;;
        --output | -o) _skerry_words 'json yaml' ;;
        --kubeconfig) _skerry_files ;;
        *) if [ "$COMP_CWORD" = 2 ] && [[ $word != -* ]]; then _skerry_words 'create list delete'; else _skerry_words '--ttl --uses --node-name --output --print-join-command --kubeconfig --help'; fi ;;
      esac
      ;;
    node)
      case $before in
        --timeout) : ;;
        --kubeconfig) _skerry_files ;;
        *) if [ "$COMP_CWORD" = 2 ] && [[ $word != -* ]]; then _skerry_words 'remove adopt'; else _skerry_words '--timeout --kubeconfig --help'; fi ;;
      esac
      ;;
    certs)
      case $before in
        --data-dir) _skerry_folders ;;
        --output | -o) _skerry_words 'json yaml' ;;
        --kubeconfig) _skerry_files ;;
        *) if [ "$COMP_CWORD" = 2 ] && [[ $word != -* ]]; then _skerry_words 'show'; else _skerry_words '--data-dir --output --kubeconfig --help'; fi ;;
      esac
      ;;
    apply)
      case $before in
        --filename | -f | --kubeconfig) _skerry_files ;;
        --wait) : ;;
        *) _skerry_words '--filename --wait --kubeconfig --help' ;;
      esac
      ;;
    check)
      case $before in
        --for) _skerry_words 'master agent both' ;;
        --data-dir) _skerry_folders ;;
        --server | --listen | --cluster-cidr | --service-cidr) : ;;
        --output | -o) _skerry_words 'json yaml' ;;
        *) _skerry_words '--for --fix --data-dir --server --listen --cluster-cidr --service-cidr --output --help' ;;
      esac
      ;;
    status)
      case $before in
        --output | -o) _skerry_words 'json yaml' ;;
        --data-dir) _skerry_folders ;;
        --kubeconfig) _skerry_files ;;
        *) _skerry_words '--output --local --data-dir --kubeconfig --help' ;;
      esac
      ;;
    nodes)
      case $before in
        --output | -o) _skerry_words 'wide json yaml name' ;;
        --data-dir) _skerry_folders ;;
        --kubeconfig) _skerry_files ;;
        *) _skerry_words '--output --local --data-dir --kubeconfig --help' ;;
      esac
      ;;
    pods)
      case $before in
        --namespace | -n) : ;;
        --output | -o) _skerry_words 'wide json yaml name' ;;
        --data-dir) _skerry_folders ;;
        --kubeconfig) _skerry_files ;;
        *) _skerry_words '--namespace --all-namespaces --output --local --data-dir --kubeconfig --help' ;;
      esac
      ;;
    logs)
      case $before in
        --namespace | -n | --container | -c | --tail | --since) : ;;
        --data-dir) _skerry_folders ;;
        --kubeconfig) _skerry_files ;;
        *) _skerry_words '--namespace --follow --container --previous --timestamps --tail --since --local --data-dir --kubeconfig --help' ;;
      esac
      ;;
    get)
      case $before in
        --namespace | -n | --selector | -l) : ;;
        --output | -o) _skerry_words 'wide json yaml name' ;;
        --data-dir) _skerry_folders ;;
        --kubeconfig) _skerry_files ;;
        *) if [ "$COMP_CWORD" = 2 ] && [[ $word != -* ]]; then _skerry_words 'namespaces nodes pods replicasets deployments services endpoints endpointslices configmaps secrets serviceaccounts events leases'; else _skerry_words '--namespace --all-namespaces --selector --output --local --data-dir --kubeconfig --help'; fi ;;
      esac
      ;;
    describe)
      case $before in
        --namespace | -n) : ;;
        --output | -o) _skerry_words 'json yaml' ;;
        --data-dir) _skerry_folders ;;
        --kubeconfig) _skerry_files ;;
        *) if [ "$COMP_CWORD" = 2 ] && [[ $word != -* ]]; then _skerry_words 'namespaces nodes pods replicasets deployments services endpoints endpointslices configmaps secrets serviceaccounts events leases'; else _skerry_words '--namespace --output --local --data-dir --kubeconfig --help'; fi ;;
      esac
      ;;
    delete)
      case $before in
        --filename | -f | --kubeconfig) _skerry_files ;;
        --namespace | -n | --wait) : ;;
        *) if [ "$COMP_CWORD" = 2 ] && [[ $word != -* ]]; then _skerry_words 'namespaces nodes pods replicasets deployments services endpoints endpointslices configmaps secrets serviceaccounts events leases'; else _skerry_words '--filename --namespace --ignore-not-found --wait --kubeconfig --help'; fi ;;
      esac
      ;;
    down)
      case $before in
        --data-dir) _skerry_folders ;;
        *) _skerry_words '--data-dir --purge --help' ;;
      esac
      ;;
    version)
      case $before in
        --output | -o) _skerry_words 'json yaml' ;;
        *) _skerry_words '--output --help' ;;
      esac
      ;;
    help) [ "$COMP_CWORD" != 2 ] || _skerry_words 'up master agent token node certs apply check status nodes pods logs get describe delete down version' ;;
  esac
}

complete -F _skerry skerry
