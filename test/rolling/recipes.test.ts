/** The recipes for compose and Kubernetes say what the rolling restarts of this folder were run with. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDuration } from "@sojourn/core/store";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { COMMANDS, EXAMPLE } from "./deployment.ts";

const read = (name: string): string => readFileSync(join(EXAMPLE, name), "utf8");
const ms = (duration: string | undefined): number => Number(parseDuration(duration ?? ""));

/** Variables that the restarts under load set, and those that say where things are. */
const rolling = ["rolling.test.ts", "deployment.ts"]
  .map((name) => readFileSync(join(import.meta.dirname, name), "utf8"))
  .join("\n");
const TESTED = new Set(
  [...rolling.matchAll(/\b([A-Z]{4,}(?:_[A-Z]+)*)\b\s*[:,]/g)].map(([, name]) => name),
).add("HOST");

function untested(names: readonly string[]): string[] {
  return names.filter((name) => !TESTED.has(name));
}

/** Programs that a command names. */
function missing([program, file = ""]: readonly string[]): string[] {
  return program === "node" && !existsSync(join(EXAMPLE, file)) ? [file] : [];
}

interface Service {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop_grace_period?: string;
  readonly stop_signal?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
}

describe("compose.yaml", () => {
  const { services } = parse(read("compose.yaml"), { merge: true }) as {
    services: Record<string, Service>;
  };
  const apps = Object.entries(services).filter(([name]) => name.startsWith("app-"));

  test("[A-17] has three processes and a proxy, with the commands that were tested", () => {
    expect(apps).toHaveLength(3);
    for (const [, { command }] of apps) expect(command).toEqual(COMMANDS.app);
    expect(services["proxy"]?.command).toEqual(COMMANDS.proxy);
    for (const command of Object.values(COMMANDS)) expect(missing(command)).toEqual([]);
  });

  test("[A-17] sets variables that were tested, and no others", () => {
    for (const [, { environment = {} }] of apps)
      expect(untested(Object.keys(environment))).toEqual([]);
    const proxy = services["proxy"]?.environment ?? {};
    expect(untested(Object.keys(proxy))).toEqual([]);
    expect(proxy["TARGETS"]).toBe(apps.map(([name]) => `${name}:3000`).join(","));
  });

  test("[A-17] [A-14] gives a process longer than its budget, and the signal that it waits for", () => {
    for (const [, { environment, stop_grace_period, stop_signal }] of apps) {
      expect(ms(stop_grace_period)).toBeGreaterThan(ms(environment?.["SHUTDOWN_BUDGET"]));
      expect(stop_signal).toBe("SIGTERM");
    }
  });

  test("[A-27] asks for readiness where the application answers it", () => {
    for (const [, { healthcheck }] of apps)
      expect(healthcheck?.test.join()).toContain(":3000/readyz");
  });
});

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}

interface Container {
  readonly command: readonly string[];
  readonly env: readonly Variable[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly livenessProbe: Container["readinessProbe"];
  readonly lifecycle: {
    readonly preStop: { readonly exec: { readonly command: readonly string[] } };
  };
}

interface Manifest {
  readonly kind: string;
  readonly spec: {
    readonly replicas: number;
    readonly selector: Readonly<Record<string, unknown>>;
    readonly ports: readonly { readonly targetPort: string }[];
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly Container[];
      };
    };
  };
}

describe("kubernetes.yaml", () => {
  const manifests = parseAllDocuments(read("kubernetes.yaml")).map(
    (document) => document.toJS() as Manifest,
  );
  const of = (kind: string): Manifest["spec"] => {
    const found = manifests.find((manifest) => manifest.kind === kind);
    if (!found) throw new Error(`there is no ${kind}`);
    return found.spec;
  };
  const { replicas, template, selector } = of("Deployment");
  const { containers, terminationGracePeriodSeconds: granted } = template.spec;
  const [app] = containers;
  if (!app) throw new Error("there is no container");
  const valueOf = (name: string): string | undefined =>
    app.env.find((variable) => variable.name === name)?.value;

  test("[A-17] runs three of the process that was tested, with its variables", () => {
    expect(replicas).toBe(3);
    expect(app.command).toEqual(COMMANDS.app);
    expect(untested(app.env.map(({ name }) => name))).toEqual([]);
  });

  test("[A-17] [A-16] has the preStop hook that was tested, and a secret for it", () => {
    expect(app.lifecycle.preStop.exec.command).toEqual(COMMANDS.preStop);
    const secrets = app.env.flatMap(({ name, valueFrom }) => (valueFrom ? [name] : []));
    expect(secrets.toSorted()).toEqual(["DATABASE_URL", "EXPORT_SECRET", "SESSION_SECRET"]);
    for (const { name, valueFrom } of app.env)
      if (valueFrom) expect(valueFrom.secretKeyRef.key).toBe(name);
  });

  test("[A-17] [A-14] grants longer than hook and budget, and the budget holds the notice", () => {
    const [budget, notice] = [ms(valueOf("SHUTDOWN_BUDGET")), ms(valueOf("SHUTDOWN_NOTICE"))];
    const hook = Number(
      /AbortSignal\.timeout\(([\d_]+)\)/.exec(read("pre-stop.mjs"))?.[1]?.replaceAll("_", ""),
    );
    expect(granted * 1_000).toBeGreaterThan(hook + budget);
    expect(notice).toBeGreaterThan(0);
    expect(budget * 0.8).toBeGreaterThan(notice);
  });

  test("[A-27] probes where the application answers, and liveness does not depend on the store", () => {
    const source = read("app.mjs");
    const { readinessProbe, livenessProbe } = app;
    expect([readinessProbe.httpGet.path, livenessProbe.httpGet.path]).toEqual([
      "/readyz",
      "/livez",
    ]);
    for (const { httpGet } of [readinessProbe, livenessProbe]) {
      expect(source).toContain(`app.get("${httpGet.path}"`);
      expect(httpGet.port).toBe(app.ports[0]?.name);
    }
    expect(String(app.ports[0]?.containerPort)).toBe(valueOf("PORT"));
  });

  test("[A-17] has a service that finds the pods and their port", () => {
    const service = of("Service");
    expect({ matchLabels: service.selector }).toEqual(selector);
    expect(template.metadata.labels).toEqual(service.selector);
    expect(service.ports[0]?.targetPort).toBe(app.ports[0]?.name);
  });
});
