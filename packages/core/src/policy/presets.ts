/** The reauthentication limits of NIST SP 800-63B-4 for each authenticator assurance level. */
import { parseDuration } from "../options/duration.ts";

/** Name of a preset: an authenticator assurance level. */
export type Preset = "aal1" | "aal2" | "aal3";

/** What a preset sets, and at most allows. `idle: null`: none is asked for. */
export interface PresetLimits {
  readonly idle: string | null;
  readonly absolute: string;
  /** Where it is written. */
  readonly source: string;
}

/** The presets. */
export const PRESETS: Readonly<Record<Preset, PresetLimits>> = {
  aal1: { idle: null, absolute: "30d", source: "NIST SP 800-63B-4 2.1.3" },
  aal2: { idle: "1h", absolute: "24h", source: "NIST SP 800-63B-4 2.2.3" },
  aal3: { idle: "15m", absolute: "12h", source: "NIST SP 800-63B-4 2.3.3" },
};

/** Options with the values of their preset where they have none of their own. */
export function withPreset<
  Options extends { preset?: unknown; idle?: unknown; absolute?: unknown },
>(options: Options): Options {
  const preset = Object.entries(PRESETS).find(([name]) => name === options.preset)?.[1];
  if (!preset) return options;
  const { idle = preset.idle, absolute = preset.absolute } = options;
  return { ...options, idle, absolute };
}

/** Where timeouts (ms) are longer than a preset allows: the option, and a sentence. */
export function beyondPreset(
  name: Preset,
  { idle, absolute }: { readonly idle: number | null; readonly absolute: number },
): readonly (readonly [option: "idle" | "absolute", problem: string])[] {
  const { idle: idleMost, absolute: absoluteMost, source } = PRESETS[name];
  const problem = (most: string): string =>
    `is longer than the ${most} that preset '${name}' allows (${source}): shorten it, or say why in the option justification`;
  const isIdleBeyond = idleMost !== null && (idle === null || idle > ms(idleMost));
  return [
    ...(isIdleBeyond ? ([["idle", problem(idleMost)]] as const) : []),
    ...(absolute > ms(absoluteMost) ? ([["absolute", problem(absoluteMost)]] as const) : []),
  ];
}

function ms(duration: string): number {
  return Number(parseDuration(duration));
}
