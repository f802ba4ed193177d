import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { readServiceFile } from "../../../lib/service-file.js";
import { runCli } from "../../support/programs/cli.js";
import { freshKeys } from "../../support/redis/redis-server.js";
import { createTempDirectory } from "../../support/temp-directory.js";

type Files = Record<string, string>;

const json = (value: unknown) => JSON.stringify(value);

/** A folder named shop with these files. */
function createFolder(files: Files): string {
  const folder = join(createTempDirectory(), "shop");
  mkdirSync(folder);
  writeFiles(folder, files);
  return folder;
}

function writeFiles(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** The written file, flattened. */
function read(folder: string) {
  const file = readServiceFile(join(folder, "serin.yml"));
  const { service, run, build, health, hooks, env } = file;
  const { before } = hooks;
  return { service, run, build, health: health.path, before, ...env };
}

const init = (folder: string, ...options: string[]) =>
  runCli(freshKeys(), ["init", ...options], { PWD: folder });

const EXPRESS: Files = {
  "package.json": json({
    name: "@acme/Web_Shop",
    scripts: { start: "npm run build && node dist/server.js", build: "tsc" },
    dependencies: { express: "5" },
  }),
  "package-lock.json": "{}",
  "src/server.ts": `
    app.get("/healthz", ready);
    connect(process.env.DATABASE_URL, process.env["COOKIE_SECRET"], process.env.LOG_LEVEL);
    app.listen(process.env.PORT);`,
  ".env.example": "DATABASE_URL=\nLOG_LEVEL=info # or debug\nPORT=3000\nFEE=\n",
  "views/index.ejs": "",
  "test/server.test.ts": "process.env.TEST_TOKEN",
  "README.md": "",
};

interface Case {
  what: string;
  files: Files;
  expected: Record<string, unknown>;
  /** In the list of what is left to do. */
  left?: RegExp;
}

const node = (scripts: Files, dependencies: Files = {}) =>
  json({ scripts, dependencies });

const CASES: readonly Case[] = [
  {
    what: "an Express service in TypeScript",
    files: EXPRESS,
    expected: {
      service: "web-shop",
      run: "node dist/server.js",
      build: "npm ci && npm run build && npm prune --omit=dev",
      health: "/healthz",
      clear: { NODE_ENV: "production", LOG_LEVEL: "info" },
      secret: ["COOKIE_SECRET", "DATABASE_URL", "FEE"],
    },
    left: /values of COOKIE_SECRET, DATABASE_URL, FEE/,
  },
  {
    what: "a Fastify service without a build, by pnpm",
    files: {
      "package.json": node(
        { start: "cross-env PORT=3000 fastify start -p 3000 app.js" },
        { "fastify-cli": "7" },
      ),
      "pnpm-lock.yaml": "",
      "app.js": 'get("/api/health")',
    },
    expected: {
      run: "fastify start -p $PORT app.js",
      build: "pnpm install --frozen-lockfile --prod",
      health: "/api/health",
    },
  },
  {
    what: "a Fastify service on localhost",
    files: {
      "package.json": node({ start: "node app.js" }, { fastify: "5" }),
      "app.js":
        'import fastify from "fastify"; app.listen({ port: process.env.PORT })',
    },
    expected: { run: "node app.js", build: "npm install --omit=dev" },
    left: /app\.js listens on localhost only.*HOST/,
  },
  {
    what: "a service that listens on localhost unless HOST says otherwise",
    files: {
      "package.json": node({ start: "node app.js" }),
      "app.js":
        'server.listen(process.env.PORT, process.env.HOST ?? "127.0.0.1")',
    },
    expected: { run: "node app.js" },
    left: /^(?![^]*localhost only)/,
  },
  {
    what: "a Next service, by yarn",
    files: {
      "package.json": node(
        { start: "next start -p 4000", build: "next build" },
        { next: "16" },
      ),
      "yarn.lock": "",
      "next.config.mjs": "",
      "app/api/health/route.ts": "",
      "public/logo.svg": "",
    },
    expected: {
      run: "next start -p $PORT",
      build:
        "yarn install --frozen-lockfile && yarn run build && yarn install --frozen-lockfile --production && rm -rf .next/cache",
      health: "/api/health",
    },
  },
  {
    what: "a Nest service",
    files: {
      "package.json": node(
        { start: "nest start", "start:prod": "node dist/main" },
        { "@nestjs/core": "11" },
      ),
      "src/health.controller.ts": '@Controller("health")',
    },
    expected: {
      run: "node dist/main",
      health: "/health",
    },
  },
  {
    what: "a plain HTTP server on a fixed port",
    files: {
      "package.json": json({ name: "serin", main: "web.js" }),
      "web.js": "createServer().listen(3000)",
    },
    expected: {
      service: "serin-service",
      run: "node web.js",
      build: undefined,
      health: undefined,
    },
    left: /no source reads PORT.*\(web\.js\)\n[^]*no health path/,
  },
  {
    what: "a development server that npm starts",
    files: {
      "package.json": node({ start: "tsc && nx serve" }),
      "server.js": "PORT",
    },
    expected: { run: "npm run start" },
    left: /development server/,
  },
  {
    what: "a Procfile, before package.json",
    files: {
      ...EXPRESS,
      Procfile:
        "web: node dist/web.js --port $PORT\nrelease: npm run migrate\n",
    },
    expected: {
      run: "node dist/web.js --port $PORT",
      build: "npm ci && npm run build && npm prune --omit=dev",
      before: "npm run migrate",
    },
  },
  {
    what: "a PM2 ecosystem file",
    files: {
      "ecosystem.config.js": `module.exports = { apps: [{
        name: "cart", script: "./build/index.js", args: "--color", instances: "max" }] }`,
      "package.json": node({ build: "tsc" }),
    },
    expected: {
      service: "cart",
      run: "node build/index.js --color",
    },
  },
  {
    what: "a Go service",
    files: {
      "go.mod": "module example.com/team/Orders\n\ngo 1.24\n",
      "cmd/api/main.go": `package main
        http.HandleFunc("/readyz", ready)
        http.ListenAndServe(":"+os.Getenv("PORT"), os.Getenv("API_TOKEN"))`,
      "internal/db.go": "package internal",
      "templates/home.html": "",
    },
    expected: {
      service: "orders",
      run: "./bin/api",
      build: "CGO_ENABLED=0 go build -trimpath -o bin/api ./cmd/api",
      health: "/readyz",
      secret: ["API_TOKEN"],
    },
  },
  {
    what: "a FastAPI service",
    files: {
      "requirements.txt": "fastapi\nuvicorn\n",
      "app/main.py": `api = FastAPI()
@api.get("/health")
secret = os.environ["APP_SECRET"]`,
    },
    expected: {
      run: "python3 -m uvicorn app.main:api --host $HOST --port $PORT",
      build: "python3 -m pip install --target vendor -r requirements.txt",
      health: "/health",
      clear: { PYTHONPATH: "vendor" },
      secret: ["APP_SECRET"],
    },
  },
  {
    what: "a Flask service without gunicorn",
    files: {
      "pyproject.toml": '[project]\nname = "books"\ndependencies = ["flask"]\n',
      "web.py": "app = Flask(__name__)",
    },
    expected: {
      service: "books",
      run: "python3 -m flask --app web:app run --host $HOST --port $PORT",
      build: "python3 -m pip install --target vendor .",
    },
    left: /development server: add gunicorn/,
  },
  {
    what: "a Django service with gunicorn",
    files: {
      "requirements.txt": "Django\ngunicorn\n",
      "manage.py": "",
      "mysite/wsgi.py": "",
      "mysite/urls.py": 'path("up/", up)',
    },
    expected: {
      run: "python3 -m gunicorn --bind $HOST:$PORT mysite.wsgi",
      health: "/up",
    },
  },
  {
    what: "a Procfile for packages that pip puts into a folder",
    files: {
      "requirements.txt": "Django\ngunicorn\n",
      Procfile: "web: gunicorn --config gunicorn.conf.py mysite.wsgi\n",
      "pyproject.toml": '[project]\nname = "python-getting-started"\n',
    },
    expected: {
      service: "python-getting",
      run: "python3 -m gunicorn --config gunicorn.conf.py mysite.wsgi",
    },
  },
  {
    what: "variables that only the sources name",
    files: {
      "package.json": node({ start: "node app.js" }),
      "app.js": "const { DB_HOST, DB_PASSWORD, PORT } = process.env;",
    },
    expected: { secret: ["DB_PASSWORD"] },
    left: /the sources read DB_HOST too; add those that have no default/,
  },
  {
    what: "a Dockerfile",
    files: {
      Dockerfile: `FROM debian
WORKDIR /srv/app
HEALTHCHECK CMD curl -f http://localhost:8000/ping || exit 1
ENTRYPOINT ["/srv/app/server"]
CMD ["--listen", "0.0.0.0:$PORT"]`,
    },
    expected: { run: "./server --listen 0.0.0.0:$PORT", health: "/ping" },
  },
  {
    what: "a folder of files",
    files: { "public/index.html": "" },
    expected: {
      service: "shop",
      run: "python3 -m http.server $PORT --bind $HOST --directory public",
      health: "/",
    },
  },
  {
    what: "a page that Vite builds",
    files: {
      "package.json": node({ build: "vite build" }),
      "package-lock.json": "{}",
      "index.html": "",
    },
    expected: {
      run: "python3 -m http.server $PORT --bind $HOST --directory dist",
      build: "npm ci && npm run build",
    },
  },
  {
    what: "an empty folder",
    files: {},
    expected: { service: "shop", health: undefined },
    left: /run: nothing here says how the service starts/,
  },
];

/** The repositories of the examples in docs/your-service.md. */
const DOCUMENTED: Readonly<Record<string, Files>> = {
  Express: {
    "package.json": json({
      name: "shop",
      scripts: { start: "node dist/server.js", build: "tsc" },
      dependencies: { express: "5" },
    }),
    "package-lock.json": "{}",
    "src/server.ts":
      'app.get("/healthz"); use(process.env.COOKIE_SECRET, process.env.DATABASE_URL)',
  },
  Next: {
    "package.json": json({
      name: "site",
      scripts: { start: "next start -p 3000", build: "next build" },
      dependencies: { next: "16" },
    }),
    "package-lock.json": "{}",
    "app/api/health/route.ts": "",
    ".env.example": "NEXT_SERVER_ACTIONS_ENCRYPTION_KEY=",
  },
  Python: {
    "pyproject.toml": '[project]\nname = "prices"\n',
    "requirements.txt": "fastapi\nuvicorn\n",
    "app/main.py": 'api = FastAPI()\n@api.get("/health")',
  },
  "One package of a monorepo": {
    "package.json": json({ workspaces: ["packages/*"] }),
    "package-lock.json": "{}",
    "packages/shop/package.json": json({
      name: "@acme/shop",
      scripts: { start: "node dist/server.js", build: "tsc" },
      dependencies: { "@acme/money": "1" },
    }),
    "packages/shop/src/server.ts": 'app.get("/healthz")',
  },
  "A folder of files": { "public/index.html": "" },
};

/** The YAML below a heading of docs/your-service.md. */
function readExample(title: string): string {
  const text = readFileSync(
    new URL("../../../../docs/your-service.md", import.meta.url),
    "utf8",
  );
  const section = text.split(`### ${title}\n`)[1] ?? "";
  return /```yaml\n(.*?)```/s.exec(section)?.[1] ?? "";
}

describe("serin init", () => {
  for (const { what, files, expected, left = /servers:/ } of CASES)
    it(`reads ${what}`, async () => {
      const folder = createFolder(files);
      const { status, stdout, stderr } = await init(folder);
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: "" });
      expect(stdout.replace(/^.*Left to do:/s, "")).to.match(left);
      expect(stdout).to.match(/\nNext: npx serin dev\n$/);
      expect(read(folder)).to.deep.include(expected);
    });

  it("comments the file for its readers", async () => {
    const folder = createFolder(EXPRESS);
    await init(folder);
    const text = readFileSync(join(folder, "serin.yml"), "utf8");
    expect(text.split("\n\n# Before")[0]).to
      .equal(`# yaml-language-server: $schema=node_modules/serin/docs/serin.schema.json
# All fields: node_modules/serin/docs/your-service.md

service: web-shop
run: node dist/server.js # gets PORT, HOST, SERIN_SIDE and SERIN_RELEASE
build: npm ci && npm run build && npm prune --omit=dev # once, in a clean checkout; the hosts get the folder as it is then
health: /healthz # a path that answers 2xx when the service is ready
env:
  clear: { NODE_ENV: production, LOG_LEVEL: info } # part of a release, as its code is
  secret: [COOKIE_SECRET, DATABASE_URL, FEE] # values: the shell for dev, the vault for hosts`);
  });

  it("prints what it found, where, and what is left to do", async () => {
    const folder = createFolder(EXPRESS);
    expect((await init(folder)).stdout).to.equal(`wrote serin.yml
  service  web-shop (package.json)
  run      node dist/server.js (package.json: scripts.start)
  build    npm ci && npm run build && npm prune --omit=dev (package.json, package-lock.json)
  health   /healthz (src/server.ts)
  env      LOG_LEVEL, COOKIE_SECRET, DATABASE_URL, FEE (src/server.ts, .env.example)

Left to do:
- env.clear: it has the values of the example; check them for prod
- values of COOKIE_SECRET, DATABASE_URL, FEE: export them for \`serin dev\`; \`serin setup\` puts them into the vault
- servers: the addresses of your hosts; \`serin dev\` needs none
- alerts: who gets a mail when a canary is stopped

Next: npx serin dev
`);
  });

  it("changes nothing if a file exists", async () => {
    const folder = createFolder({ ...EXPRESS, Jenkinsfile: "mine" });
    const asked = await init(folder, "--jenkins");
    expect(asked.status).to.equal(1);
    expect(asked.stderr).to.match(
      /^serin: .*Jenkinsfile exists, and nothing was changed: .*\n$/,
    );
    expect(existsSync(join(folder, "serin.yml"))).to.equal(false);
    await init(folder);
    expect((await init(folder)).stderr).to.include("serin.yml exists");
    expect(readFileSync(join(folder, "Jenkinsfile"), "utf8")).to.equal("mine");
  });

  it("refuses what is no folder", async () => {
    const { status, stderr } = await init(createTempDirectory(), "none");
    expect(status).to.equal(2);
    expect(stderr).to.match(/none is no folder\n$/);
  });

  it("adds pipelines to a serin.yml, with its name and the repository's commands", async () => {
    const folder = createFolder({
      ...EXPRESS,
      "serin.yml": "service: till\nrun: node .",
    });
    const { status, stdout } = await init(folder, "--jenkins", "--github");
    expect(status).to.equal(0);
    expect(stdout).to.match(/Jenkinsfile: the credentials/);
    expect(stdout).to.match(/Jenkinsfile: its step Test runs nothing/);
    for (const path of ["Jenkinsfile", ".github/workflows/release.yml"]) {
      const text = readFileSync(join(folder, path), "utf8");
      expect(text).to.include("npm ci").and.to.include("till");
      expect(text).not.to.match(/@[A-Z]+@/);
    }
  });

  it("writes the pipeline to the root of the repository", async () => {
    const root = createFolder({
      ".git/HEAD": "",
      "api/go.mod": "module x.org/api",
      "api/main.go": "package main",
    });
    const { stdout } = await init(join(root, "api"), "--github");
    expect(stdout).to.include("release.yml: let its steps run in api");
    const path = join(root, ".github/workflows/release.yml");
    expect(readFileSync(path, "utf8"))
      .to.include("npm install --no-save serin")
      .and.to.include("go test ./...");
  });

  it("leads on in the folder that it was given", async () => {
    const folder = createFolder(EXPRESS);
    const env = { PWD: dirname(folder) };
    const { stdout } = await runCli(freshKeys(), ["init", "shop"], env);
    expect(stdout).to.match(/^wrote shop\/serin\.yml\n/);
    expect(stdout).to.match(/\nNext: cd shop && npx serin dev\n$/);
  });

  it("ignores what git ignores", async () => {
    const folder = createFolder({
      ...EXPRESS,
      ".gitignore": "uploads\n",
      "uploads/x.js": "process.env.UPLOAD_TOKEN",
    });
    spawnSync("git", ["init", "--quiet", folder]);
    await init(folder);
    expect(read(folder).secret).not.to.include("UPLOAD_TOKEN");
  });

  for (const [title, files] of Object.entries(DOCUMENTED))
    it(`writes what docs/your-service.md shows for ${title}`, async () => {
      const folder = createFolder({ ".git/HEAD": "", ...files });
      const path = title.startsWith("One package") ? "packages/shop" : ".";
      await init(join(folder, path));
      const shown = readExample(title);
      expect(read(join(folder, path))).to.deep.equal(
        read(createFolder({ "serin.yml": shown })),
      );
    });

  it("writes a build for a package of a monorepo, whose product runs elsewhere", async function () {
    this.timeout(60_000);
    const root = createMonorepo();
    const folder = join(root, "packages/shop");
    await init(folder);
    const { build = "", run } = read(folder);
    runShell(build, folder);
    const release = createTempDirectory();
    cpSync(folder, release, { recursive: true });
    expect(runShell(run, release)).to.equal("1,00 EUR\n");
  });
});

/** Two packages of npm, one of which needs the other. */
function createMonorepo(): string {
  const root = createFolder({
    "package.json": json({ private: true, workspaces: ["packages/*"] }),
    "packages/money/package.json": json({
      name: "@acme/money",
      version: "1.0.0",
    }),
    "packages/money/index.js": 'module.exports = "1,00 EUR"',
    "packages/shop/package.json": json({
      name: "@acme/shop",
      version: "1.0.0",
      scripts: {
        start: "node dist/server.js",
        build: "mkdir -p dist && cp server.js dist",
      },
      dependencies: { "@acme/money": "1.0.0" },
    }),
    "packages/shop/server.js": 'console.log(require("@acme/money"))',
  });
  runShell("npm install --package-lock-only --offline", root);
  return root;
}

function runShell(command: string, cwd: string): string {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], {
    cwd,
    encoding: "utf8",
  });
  expect(status, stderr).to.equal(0);
  return stdout;
}
