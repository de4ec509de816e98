/** A chart of throughput: one bar a contender, its quartiles as a line; on light and dark pages. */
import type { Framework } from "../contender.ts";
import { FRAMEWORKS } from "../contender.ts";
import type { Samples } from "../load/rounds.ts";
import { standingsOf, titleOf } from "./throughput.ts";
import type { Standing } from "./throughput.ts";
import { figure } from "./table.ts";

const WIDTH = 800;
const LABELS = 340;
const BARS = WIDTH - LABELS - 60;
const ROW = 22;
const HEADING = 44;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .heading { font-weight: 600 }
  .figure, .note { fill: #59636e }
  .ours { fill: #1a7f5a } .peer { fill: #8c959f } .floor { fill: #c69026 }
  line { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .figure, .note { fill: #9198a1 } line { stroke: #f0f6fc }
    .ours { fill: #3fb68b } .peer { fill: #656c76 } .floor { fill: #d4a72c }
  }`;

/** SVG of how many requests of the route `read` are left of those of the bare framework. */
export function chartOf(samples: Samples): string {
  const groups = FRAMEWORKS.map((framework) => ({
    framework,
    standings: standingsOf(samples, framework, "read").filter(
      ({ contender }) => !contender.name.startsWith("bare-"),
    ),
  })).filter(({ standings }) => standings.length > 0);
  let y = 0;
  const drawn = groups.map(({ framework, standings }) => {
    const group = groupOf(framework, standings, y);
    y += HEADING + standings.length * ROW;
    return group;
  });
  const height = y + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>Throughput of a route that reads the session, as a share of the framework without sessions</title>
<style>${STYLE}
</style>
${drawn.join("\n")}
</svg>
`;
}

function groupOf(framework: Framework, standings: readonly Standing[], top: number): string {
  const heading = `<text class="heading" x="0" y="${top + 24}">${titleOf(framework)}, /read: share of the throughput without sessions</text>`;
  const bars = standings.map((standing, index) => barOf(standing, top + HEADING + index * ROW));
  return [heading, ...bars].join("\n");
}

function barOf({ contender: { name, title }, ofBare }: Standing, y: number): string {
  const x = (share: number): string => (LABELS + Math.min(1.05, share) * BARS).toFixed(1);
  const [kind = ""] = /^(?:ours|floor)/.exec(name) ?? ["peer"];
  const middle = y + ROW / 2;
  return [
    `<text x="${LABELS - 8}" y="${middle + 4}" text-anchor="end">${escaped(title)}</text>`,
    `<rect class="${kind}" x="${LABELS}" y="${y + 3}" width="${(Number(x(ofBare.median)) - LABELS).toFixed(1)}" height="${ROW - 6}" rx="2"/>`,
    `<line x1="${x(ofBare.lower)}" x2="${x(ofBare.upper)}" y1="${middle}" y2="${middle}"/>`,
    `<text class="figure" x="${WIDTH - 34}" y="${middle + 4}">${figure(ofBare.median, 2)}</text>`,
  ].join("");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
