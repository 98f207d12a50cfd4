import { ApiClient, ApiFailure } from './api-client.ts';
import { CommandFailure } from './command-failure.ts';

/** Does the work with a client, and closes it; a refusal of the server is said in kubectl's words. Throws CommandFailure. */
export async function withClient<Answer>(
  kubeconfig: string | undefined,
  work: (client: ApiClient) => Promise<Answer>,
): Promise<Answer> {
  const client = ApiClient.open(kubeconfig);
  try {
    return await work(client);
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    throw new CommandFailure(`Error from server (${error.reason}): ${error.message}`);
  } finally {
    client.close();
  }
}
