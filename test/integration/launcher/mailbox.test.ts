import { readFileSync } from "node:fs";
import { expect } from "chai";
import { createTransport } from "nodemailer";
import { startMailbox, type KeptMail } from "../../../apps/launcher/mailbox.js";
import { onCleanup } from "../../support/cleanup.js";
import { createTempDirectory } from "../../support/temp-directory.js";

async function openMailbox() {
  const directory = createTempDirectory();
  const mails: KeptMail[] = [];
  const mailbox = await startMailbox({
    port: 0,
    directory,
    onMail: (mail) => mails.push(mail),
  });
  onCleanup(() => mailbox.close());
  return { url: mailbox.url, directory, mails };
}

describe("launcher mailbox", () => {
  it("stores and reports a mail before it acknowledges it", async () => {
    const { url, directory, mails } = await openMailbox();
    await createTransport(url).sendMail({
      from: "serin@serin.test",
      to: ["a@serin.test", "B <b@serin.test>"],
      subject: "Flag aus: Übergröße",
      text: "one\n\ntwo",
      html: "<p>one</p>",
    });
    expect(mails).to.deep.equal([
      {
        subject: "Flag aus: Übergröße",
        to: 'a@serin.test, "B" <b@serin.test>',
        text: "one\n\ntwo",
        file: `${directory}/0001.eml`,
      },
    ]);
    expect(readFileSync(mails[0]!.file, "utf8")).to.match(
      /^From: serin@serin\.test\r\n[^]*<p>one<\/p>/,
    );
  });

  it("numbers mails that arrive together", async () => {
    const { url, mails } = await openMailbox();
    const send = (subject: string) =>
      createTransport(url).sendMail({
        from: "serin@serin.test",
        to: "team@serin.test",
        subject,
      });
    await Promise.all(["a", "b", "c"].map(send));
    expect(mails.map(({ file }) => file.slice(-8))).to.have.members([
      "0001.eml",
      "0002.eml",
      "0003.eml",
    ]);
    for (const { subject, file } of mails)
      expect(readFileSync(file, "utf8")).to.include(`Subject: ${subject}\r\n`);
  });
});
