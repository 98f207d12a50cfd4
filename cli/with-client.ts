import { ApiClient, ApiFailure } from './api-client.ts';
import { refusalOf } from './failures.ts';

/** Does the work with a client, and closes it; a refusal of the server is said in kubectl's words. Throws CommandFailure. */
export async function withClient<Answer>(
  kubeconfig: string | undefined,
  work: (client: ApiClient) => Promise<Answer>,
): Promise<Answer> {
  const client = ApiClient.open(kubeconfig);
  try {
    return await work(client);
  } catch (error) {
    throw error instanceof ApiFailure ? refusalOf(error) : error;
  } finally {
    client.close();
  }
}
