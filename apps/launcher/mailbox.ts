import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { simpleParser } from "mailparser";
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

/** An SMTP server on loopback that stores each mail as an .eml file and reports it. It forwards nothing. */
export async function startMailbox({
  port,
  directory,
  onMail,
}: {
  port: number;
  directory: string;
  onMail: (mail: KeptMail) => void;
}): Promise<{ url: string; close: () => Promise<void> }> {
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

/** The first paragraphs of the text that have room, none of them cut in half. */
export function previewMail(mail: Pick<KeptMail, "text">): string[] {
  const shown: string[] = [];
  for (const paragraph of mail.text.split(/\n{2,}/)) {
    const lines = paragraph.split("\n").filter((line) => line.trim() !== "");
    if (shown.length > 0 && shown.length + lines.length > PREVIEW_LINES) break;
    shown.push(...lines);
  }
  return shown
    .slice(0, PREVIEW_LINES)
    .map((line) =>
      line.length > PREVIEW_WIDTH
        ? `${line.slice(0, PREVIEW_WIDTH - 1)}…`
        : line,
    );
}

async function readMail(source: Buffer): Promise<Omit<KeptMail, "file">> {
  const {
    subject = "(no subject)",
    to,
    text = "",
  } = await simpleParser(source);
  const addresses = [to].flat().map((address) => address?.text ?? "(nobody)");
  return { subject, to: addresses.join(", "), text };
}
