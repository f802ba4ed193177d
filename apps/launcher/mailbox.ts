import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { simpleParser, type AddressObject } from "mailparser";
import { SMTPServer } from "smtp-server";

const LARGEST_MAIL_BYTES = 10 * 1024 * 1024;
const PREVIEW_LINES = 6;
/** Wide enough for the commands in a mail. */
const PREVIEW_WIDTH = 200;

export interface KeptMail {
  subject: string;
  to: string;
  /** The text part. */
  text: string;
  file: string;
}

export interface Mailbox {
  /** `smtp://127.0.0.1:…` */
  url: string;
  close: () => Promise<void>;
}

/** An SMTP server on loopback that stores each mail as an .eml file and reports it. It forwards nothing. */
export async function startMailbox(options: {
  port: number;
  directory: string;
  onMail: (mail: KeptMail) => void;
}): Promise<Mailbox> {
  const { port, directory, onMail } = options;
  let received = 0;
  const keep = async (source: Buffer) => {
    received += 1;
    const name = `${String(received).padStart(4, "0")}.eml`;
    const file = join(directory, name);
    writeFileSync(file, source);
    onMail({ ...(await readMail(source)), file });
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    size: LARGEST_MAIL_BYTES,
    closeTimeout: 100,
    onData: (stream, _session, callback) => {
      buffer(stream)
        .then(keep)
        .then(() => callback(), callback);
    },
  });
  server.listen(port, "127.0.0.1");
  await once(server.server, "listening");
  const bound = (server.server.address() as AddressInfo).port;
  return {
    url: `smtp://127.0.0.1:${bound}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** The first lines of the text, without empty ones. */
export function previewMail(mail: Pick<KeptMail, "text">): string[] {
  const lines = mail.text.split("\n").filter((line) => line.trim() !== "");
  return lines
    .slice(0, PREVIEW_LINES)
    .map((line) =>
      line.length > PREVIEW_WIDTH
        ? `${line.slice(0, PREVIEW_WIDTH - 1)}…`
        : line,
    );
}

async function readMail(source: Buffer): Promise<Omit<KeptMail, "file">> {
  const { subject, to, text } = await simpleParser(source);
  return {
    subject: subject ?? "(no subject)",
    to: addressText(to),
    text: text ?? "",
  };
}

function addressText(to: AddressObject | AddressObject[] | undefined): string {
  if (to === undefined) return "(nobody)";
  return [to]
    .flat()
    .map(({ text }) => text)
    .join(", ");
}
