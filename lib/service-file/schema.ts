import * as z from "zod";
import {
  command,
  duration,
  flagName,
  host,
  list,
  offOr,
  onlyOff,
  onOrOff,
  pathBelow,
  port,
  wholeNumber,
} from "./fields.js";
import { analysisSpec, rolloutSpec } from "../rollout/spec.js";
import { FORMS, text } from "../settings/values.js";
import {
  checkFields,
  checkMailer,
  checkServers,
  checkWritable,
  reject,
} from "./cross-checks.js";

/** The service's own variables; Serin sets the others. */
const variable = text(
  "the name of a variable: A-Z a-z 0-9 _, none of those that Serin sets (PORT, HOST, SERIN_…, KEY_PREFIX, FLAG_NAME, OFREP_ENDPOINT)",
  /^(?!(PORT|HOST|SERIN_\w*|KEY_PREFIX|FLAG_NAME|OFREP_ENDPOINT)$)[A-Za-z_]\w{0,127}$/,
);

const hosts = (side: string) =>
  list(`a list of ${side}, such as [10.0.0.11, 10.0.0.12]`, host).min(1, {
    error: `a list of ${side} with at least one host`,
  });

const servers = z
  .strictObject(
    {
      prod: hosts("the hosts that run the stable release"),
      canary: hosts("the hosts that run the new release first"),
      edge: hosts("the hosts that run the proxy and the monitor"),
    },
    { error: "the lists prod, canary and edge" },
  )
  .superRefine(checkServers)
  .meta({ description: "the hosts; required for all but `serin dev`" });

const REDIS =
  "edge, the address of a host for Redis, or redis[s]://host:port without a password (the vault has serin_redis_url for one with a password)";
const redis = z
  .union(
    [
      host.transform((name) => ({ host: name })),
      z
        .string()
        .regex(/^rediss?:\/\/[^@/\s]+(\/\d{1,5})?$/)
        .transform((url) => ({ url })),
    ],
    { error: REDIS },
  )
  .meta({ description: REDIS });

const ssh = z
  .strictObject(
    {
      user: text(
        "a user's name, such as admin",
        /^[A-Za-z_][\w.-]{0,31}$/,
      ).optional(),
      port: port("the hosts' SSH port").optional(),
      key: text(
        "the path of a private key, such as ~/.ssh/id_ed25519",
        /^[^\0\n'"]+$/,
      ).optional(),
      jump: text(
        "a bastion, such as admin@203.0.113.1",
        /^[\w.-]+(@[\w.-]+)?(:\d{1,5})?$/,
      ).optional(),
    },
    { error: "user, port, key and jump of SSH" },
  )
  .default({})
  .meta({ description: "how Ansible connects" });

const HEALTH_PATH =
  "a path that answers 2xx when the service is ready, such as /healthz; none only checks that it listens";
const healthPath = text(HEALTH_PATH, FORMS.healthPath);
const health = z
  .union(
    [
      healthPath.transform((path) => ({ path, timeout: 5000, start: 30_000 })),
      z.strictObject({
        path: healthPath,
        timeout: duration("how long an answer may take").prefault("5s"),
        start: duration("how long a start may take").prefault("30s"),
      }),
    ],
    { error: `${HEALTH_PATH}; or {path, timeout, start}` },
  )
  .prefault("/healthz")
  .meta({ description: HEALTH_PATH });

const VALUE = "a text, a number, true or false";
const env = z
  .strictObject(
    {
      clear: z
        .record(
          variable,
          z
            .union([z.string(), z.number(), z.boolean()], { error: VALUE })
            .transform(String),
          {
            error: "variables and their values, such as {NODE_ENV: production}",
          },
        )
        .default({})
        .meta({ description: "variables; part of the release" }),
      secret: list(
        "names of variables whose values the vault has (the shell for `serin dev`)",
        variable,
      ).default([]),
    },
    { error: "clear and secret" },
  )
  .superRefine(({ clear, secret }, context) => {
    for (const [place, name] of secret.entries())
      if (Object.hasOwn(clear, name))
        reject(
          context,
          ["secret", place],
          `${name} is in env.clear and in env.secret: remove it from one of them`,
        );
  })
  .default({ clear: {}, secret: [] })
  .meta({ description: "the service's environment" });

const routes = z
  .record(
    text("a route's first segment, such as /report", /^\/[^/?#\s]{0,31}$/),
    z.strictObject(
      {
        latency: z.union(
          [z.literal("ignore"), duration("the threshold of the latency")],
          { error: "ignore, or a threshold such as 5s" },
        ),
      },
      { error: "{latency: ignore} or {latency: 5s}" },
    ),
    {
      error:
        "routes and what to know of them, such as {/report: {latency: 5s}}",
    },
  )
  .default({})
  .meta({ description: "thresholds of single routes" });

const hooks = z
  .strictObject(
    {
      before: command(
        "which runs before the new release starts, such as a migration",
      ).optional(),
      promoted: command(
        "which runs when the release is on all hosts",
      ).optional(),
      aborted: command("which runs when the canary is put back").optional(),
    },
    { error: "the commands before, promoted and aborted" },
  )
  .default({})
  .meta({
    description:
      "commands that run once, on one canary host, in the new release",
  });

const TLS =
  "off: let a load balancer or web server in front of the proxy serve TLS";
const proxy = z
  .strictObject(
    {
      port: port("where the proxy listens").default(8080),
      tls: onlyOff(TLS),
      sticky: offOr(
        "cookie",
        "off, or cookie: a client keeps its side, by a cookie named serin-side",
      ),
      asset_fallback: onOrOff(
        "off, or on: a GET that one side answers 404 is tried on the other, while both get traffic",
      ),
      data_plane: z
        .literal("serin", {
          error: "serin, the only data plane of this version",
        })
        .default("serin")
        .meta({ description: "serin, the only data plane of this version" }),
    },
    { error: "port" },
  )
  .prefault({})
  .meta({ description: "the proxy" });

const mail = text("a mail address, such as ops@example.com", FORMS.mailAddress);
const alerts = z
  .strictObject(
    {
      to: list("mail addresses, such as [ops@example.com]", mail).default([]),
      from: mail.optional(),
      ses: text(
        "the AWS region of Amazon SES, such as eu-central-1",
        FORMS.awsRegion,
      ).optional(),
      smtp: text(
        "smtp[s]://host:port without a password (the vault has serin_smtp_url for one with a password)",
        /^smtps?:\/\/[^@/\s]+$/,
      ).optional(),
      webhook: text(
        "an HTTPS URL (the vault has serin_alert_webhook_url for one that is secret)",
        /^https?:\/\/[^@\s]+$/,
      ).optional(),
    },
    { error: "to, from, and ses or smtp" },
  )
  .superRefine(checkMailer)
  .prefault({})
  .meta({ description: "who is notified, and how" });

const MAX_INSTANCES = 10;

/** What serin.yml may contain. Descriptions complete "give …" in errors. */
export const schema = z
  .strictObject(
    {
      service: text(
        "a name of 1 to 20 of a-z 0-9 -, which begins with a letter and is not serin or redis",
        /^(?!(serin|redis|root)$)[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/,
      ),
      prefix: text(
        "the prefix of the keys in Redis: 1 to 64 of A-Z a-z 0-9 . _ : - (default: the service's name and a colon)",
        FORMS.keyPrefix,
      ).optional(),
      run: command("which starts the service, such as node dist/server.js"),
      servers: servers.optional(),
      redis: redis.prefault("edge"),
      ssh,
      build: command(
        "which runs once in a clean checkout of the commit, such as npm ci && npm run build",
      ).optional(),
      include: list(
        "files and folders that the hosts get, such as [dist, node_modules, package.json] (default: all of the folder)",
        pathBelow("a file or folder"),
      )
        .min(1, { error: "at least one file or folder" })
        .optional(),
      artifact: text(
        "a tarball that the build writes, such as out/shop.tar.gz, instead of include",
        /^(?!\/)(?!(.*\/)?\.{1,2}(\/|$))[^\0\n\\]+\.(tar\.gz|tgz)$/,
      ).optional(),
      health,
      instances: wholeNumber(
        `a whole number from 1 to ${MAX_INSTANCES}: instances on each host`,
        {
          min: 1,
          max: MAX_INSTANCES,
        },
      ).default(2),
      ports: z
        .strictObject(
          {
            prod: port("the first instance on prod").default(3001),
            canary: port("the first instance on the canary").default(3002),
            admin: port(
              "the proxy's status (default: proxy.port + 1)",
            ).optional(),
            monitor: port(
              "the dashboard (default: proxy.port + 10)",
            ).optional(),
          },
          { error: "the ports prod and canary" },
        )
        .prefault({})
        .meta({ description: "of the first instance; each further one + 10" }),
      env,
      writable: list(
        "folders that are kept across releases, such as [uploads]",
        pathBelow("a folder"),
      )
        .superRefine(checkWritable)
        .prefault([]),
      drain: duration(
        "how long a stopping instance may take to finish its requests",
      ).prefault("30s"),
      routes,
      hooks,
      proxy,
      stable: text(
        "the name of the branch that `serin release` moves to what prod runs (default: stable, or stable-<service> if the repository has several serin.yml)",
        FORMS.branchName,
      ).optional(),
      flag: flagName.default("feature"),
      flags: list(
        "further flags of the service's code, such as [new-checkout]",
        flagName,
      ).default([]),
      alerts,
      rollout: rolloutSpec,
      analysis: analysisSpec,
    },
    { error: "the fields of a service: service, run, servers …" },
  )
  .superRefine(checkFields);

export type FileContent = z.output<typeof schema>;

/** A JSON Schema, for editors. */
export function serviceFileSchema(): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: "input" });
}
