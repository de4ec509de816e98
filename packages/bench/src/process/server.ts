/** The process of one contender: `node --expose-gc server.js <its file> <its name> <places as JSON>`. */
import type { Contender, Places, Site } from "../contender.ts";
import { userName } from "../session-data.ts";
import { AllocationCounter, heapUsed } from "./heap.ts";
import type { Answers, Question, Sent } from "./messages.ts";
import { Sampler } from "./profile.ts";

/** Sessions made at once. */
const TOGETHER = 100;

const [, , file = "", name = "", places = "{}"] = process.argv;
const counter = new AllocationCounter();
const sampler = new Sampler();

/** Sends to the parent. */
function send(message: Sent): void {
  process.send?.(message);
}

async function seed(
  site: Site,
  { from, count, perUser, forget }: Extract<Question, { ask: "seed" }>,
): Promise<string[]> {
  const cookies: string[] = [];
  for (let at = from; at < from + count; at += TOGETHER) {
    const numbers = Array.from({ length: Math.min(TOGETHER, from + count - at) }, (_, i) => at + i);
    const made = await Promise.all(
      numbers.map((number) => site.seed(userName(Math.floor(number / perUser)))),
    );
    if (!forget) cookies.push(...made);
  }
  return cookies;
}

async function answer(site: Site, question: Question): Promise<Answers[keyof Answers]> {
  switch (question.ask) {
    case "seed":
      return seed(site, question);
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return user + system;
    }
    case "heap":
      return heapUsed();
    case "count-allocation":
      counter.start();
      return null;
    case "allocated":
      return counter.stop();
    case "sample":
      await sampler.start();
      return null;
    case "sampled":
      return sampler.stop();
  }
}

const { contenders } = (await import(`../contenders/${file}.js`)) as {
  readonly contenders: readonly Contender[];
};
const site = await contenders
  .find((each) => each.name === name)
  ?.start(JSON.parse(places) as Places);
if (site === undefined) throw new Error(`no contender ${name} in ${file}`);
process.on("message", (question: Question) => {
  answer(site, question).then(
    (given) => send({ answer: given }),
    (error: unknown) => send({ error: String(error) }),
  );
});
process.once("disconnect", () => process.exit());
send({ port: site.port });
