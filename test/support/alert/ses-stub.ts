import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { simpleParser } from "mailparser";

export type SesAnswer =
  | "take"
  | "throttle"
  | "fail"
  | "refuse"
  | "hang"
  | [status: number, body: string];

export interface SesRequest {
  answer: SesAnswer;
  source: string | null;
  destinations: string[];
  /** The message as it was sent. */
  raw: string;
  subject: string | undefined;
  messageId: string | undefined;
}

export interface SesStub {
  endpoint: string;
  requests: SesRequest[];
  /** The outcomes of the next requests, in order; then `take`. */
  answers: SesAnswer[];
  close: () => Promise<void>;
}

/** Implements enough of SES's query protocol to return its errors. */
export async function startSesStub(): Promise<SesStub> {
  const requests: SesRequest[] = [];
  const answers: SesAnswer[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const form = new URLSearchParams(await text(request));
    const answer = answers.shift() ?? "take";
    requests.push({ answer, ...(await readForm(form)) });
    if (answer === "hang") return;
    const [status, body] =
      typeof answer === "string" ? ANSWERS[answer] : answer;
    response.writeHead(status, { "content-type": "text/xml" }).end(body);
  };
  const server = createServer((request, response) => {
    void handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    answers,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function readForm(form: URLSearchParams) {
  const raw = Buffer.from(form.get("RawMessage.Data") ?? "", "base64");
  const { subject, messageId } = await simpleParser(raw);
  return {
    source: form.get("Source"),
    destinations: [...form]
      .filter(([name]) => name.startsWith("Destinations.member."))
      .map(([, value]) => value),
    raw: raw.toString(),
    subject,
    messageId,
  };
}

const ANSWERS: Record<Exclude<SesAnswer & string, "hang">, [number, string]> = {
  take: [
    200,
    '<SendRawEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendRawEmailResult><MessageId>stub</MessageId></SendRawEmailResult></SendRawEmailResponse>',
  ],
  throttle: [
    400,
    errorXml("Sender", "Throttling", "Maximum sending rate exceeded."),
  ],
  fail: [500, errorXml("Receiver", "InternalFailure", "Try again.")],
  // SES responds to a bad signature with everything that should have been signed.
  refuse: [
    403,
    errorXml(
      "Sender",
      "SignatureDoesNotMatch",
      "The request signature does not match.\n\nThe Canonical String should have been\n'POST\n/\n\nx-amz-security-token:stub-session-token'",
    ),
  ],
};

export function errorXml(type: string, code: string, message: string): string {
  return `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>${type}</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>stub</RequestId></ErrorResponse>`;
}
