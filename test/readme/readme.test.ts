/** The README and the guides do what they say: their programs run, their transcripts come out. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startServer as startPostgres } from "../../packages/store-postgres/test/support/server.ts";
import { startServer } from "../../packages/store-redis/test/support/server.ts";
import { build, folder, must, ROOT, run, serve } from "../support/workspace.ts";

interface Block {
  readonly language: string;
  readonly title: string;
  readonly text: string;
}

function blocksOf(page: string): Block[] {
  const fences = page.matchAll(/^```(\w+)(?: title="([^"]+)")?[^\n]*\n([\s\S]*?)^```$/gm);
  return [...fences].map(([, language = "", title = "", text = ""]) => ({ language, title, text }));
}

/** Packages that a program of a page may import. */
const PACKAGES = [
  "@fastify/websocket",
  "@sojourn/core",
  "@sojourn/express",
  "@sojourn/fastify",
  "@sojourn/store-cookie",
  "@sojourn/store-file",
  "@sojourn/store-postgres",
  "@sojourn/store-redis",
  "express",
  "fastify",
  "passport",
  "passport-local",
  "prom-client",
  "rate-limiter-flexible",
  "ws",
  "zod",
];

async function consumer(): Promise<string> {
  const path = await folder(onTestFinished);
  await writeFile(join(path, "package.json"), '{ "type": "module" }');
  for (const name of PACKAGES) {
    const link = join(path, "node_modules", name);
    await mkdir(join(link, ".."), { recursive: true });
    await symlink(join(ROOT, "test/node_modules", name), link);
  }
  return path;
}

/** The commands of a transcript, each with what it must print. */
function commandsOf(transcript: string): { command: string; expected: string }[] {
  return transcript
    .split(/^\$ /m)
    .slice(1)
    .map((entry) => {
      const [command = "", ...expected] = entry.trimEnd().split("\n");
      return { command, expected: expected.join("\n") };
    });
}

/** `…` stands for anything; a token or a date for any other. */
function pattern(expected: string): RegExp {
  const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const token = /[\w-]{3}\.[\w-]{43}\.[\w-]{47}/g;
  const date = /\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g;
  const masked = expected.replaceAll(token, "…").replaceAll(date, "…");
  return new RegExp(`^${masked.split("…").map(literal).join("[^]*")}$`);
}

/** Programs of a page with the transcript that follows each, if one does. */
function storiesOf(blocks: readonly Block[]): { program: Block; transcript: Block | undefined }[] {
  const told = blocks.filter(({ language, title }) => title !== "" && language !== "sh");
  return told.flatMap((program, index) => {
    if (program.language === "console") return [];
    const next = told[index + 1];
    return [{ program, transcript: next?.language === "console" ? next : undefined }];
  });
}

beforeAll(build, 120_000);

/** The programs of a page reach these by REDIS_URL and DATABASE_URL. */
beforeAll(async () => {
  const [redis, postgres] = await Promise.all([startServer(), startPostgres()]);
  process.env["REDIS_URL"] = redis.url;
  process.env["DATABASE_URL"] = postgres.url;
  return async () => void (await Promise.all([redis.stop(), postgres.stop()]));
});

const guides = readdirSync(join(ROOT, "docs/guides")).toSorted();
const pages = ["README.md", ...guides.map((name) => `docs/guides/${name}`)];

for (const page of pages) {
  const stories = storiesOf(blocksOf(readFileSync(join(ROOT, page), "utf8")));

  describe.runIf(stories.length > 0)(page, () => {
    for (const { program, transcript } of stories) {
      test(`[E-15] ${program.title} runs${transcript ? ", and every line of its transcript comes out" : " to its end"}`, async () => {
        const path = await consumer();
        await writeFile(join(path, program.title), program.text);
        if (!transcript) {
          const ended = await run(process.execPath, [program.title], path);
          expect(ended.code, ended.output).toBe(0);
          return;
        }
        const port = await serve(program.title, path);
        const commands = commandsOf(transcript.text);
        expect(commands.length).toBeGreaterThan(0);
        for (const { command, expected } of commands) {
          const actual = command.replaceAll("localhost:3000", `localhost:${port}`);
          const printed = await must("bash", ["-c", actual], path);
          expect(printed.trimEnd(), command).toMatch(pattern(expected));
        }
      });
    }
  });
}

describe("README.md", () => {
  const blocks = blocksOf(readFileSync(join(ROOT, "README.md"), "utf8"));

  test("[E-15] shows a program for each framework, each with a transcript", () => {
    const stories = storiesOf(blocks).filter(({ transcript }) => transcript);
    expect(stories.map(({ program }) => program.title)).toEqual(["server.mjs", "express.mjs"]);
  });

  test("its setup is npm start and npm test", () => {
    const setup = blocks.find(({ title }) => title === "setup");
    const commands = setup?.text
      .split("\n")
      .map((line) => line.split("#")[0]?.trim())
      .filter(Boolean);
    expect(commands).toEqual(["npm start", "npm test"]);
  });

  test("a transcript that comes out otherwise is noticed, and … is anything", () => {
    expect('{"ok":true}').not.toMatch(pattern('{"ok":false}'));
    expect('{"ok":true} and more').not.toMatch(pattern('{"ok":true}'));
    expect('{"id":"abc","ok":true}').toMatch(pattern('{"id":"…","ok":true}'));
  });
});
