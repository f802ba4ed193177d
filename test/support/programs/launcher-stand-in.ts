import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const STATUS = { split: "3:1", canary: { open: true, because: null } };

/**
 * A program that is ready at once on its ports, and leaves its pid as the name of a file in STAND_IN_PIDS. With
 * MAIL_SUBJECT the monitor's sends a mail.
 */
export async function runStandIn(): Promise<void> {
  const { env } = process;
  writeFileSync(join(env.STAND_IN_PIDS ?? "", String(process.pid)), "");
  for (const port of [env.PORT, env.ADMIN_PORT])
    if (port !== undefined && port !== "0") listen(Number(port));
  if (env.SMTP_URL === undefined || env.MAIL_SUBJECT === undefined) return;
  // Only one of six sends any.
  const { createTransport } = await import("nodemailer");
  await createTransport(env.SMTP_URL).sendMail({
    from: env.ALERT_FROM,
    to: env.ALERT_TO,
    subject: env.MAIL_SUBJECT,
    text: "First line.\n\nSecond line.",
  });
}

function listen(port: number): void {
  const server = createServer((_request, response) =>
    response.end(JSON.stringify(STATUS)),
  );
  server.listen(port, "127.0.0.1");
  process.once("SIGTERM", () => server.close());
}
