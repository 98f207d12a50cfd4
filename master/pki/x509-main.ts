import type { CertificateJob } from './certificate-job.ts';
import { issueCertificate } from './x509.ts';

/** The certificate child: a JSON list of jobs on stdin, the list of their outcomes on stdout. */
const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const jobs = JSON.parse(Buffer.concat(chunks).toString('utf8')) as CertificateJob[];
const outcomes = await Promise.all(jobs.map(issueCertificate));
process.stdout.write(JSON.stringify(outcomes));
