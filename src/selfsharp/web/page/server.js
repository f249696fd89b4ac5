// Talks to the server: a photo goes there, progress comes back as events, files with the last one.

/** A photo that the server will not restore; the message says why, in words for people. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** What the server takes: endings and limits. */
export async function readHealth() {
  return (await fetch("health")).json();
}

/**
 * Has a photo restored.
 * @param {File} file
 * @param {{mask: Blob|null, strength: number, outputs: string[]}} asked
 * @param {(event: string, data: object) => void} tell is told of the progress.
 * @param {AbortSignal} signal ends the work.
 * @returns {Promise<{report: object, files: Object<string, File>}>}
 */
export async function restore(file, asked, tell, signal) {
  const form = new FormData();
  form.append("photo", file, file.name);
  if (asked.mask) form.append("mask", asked.mask, "mask.png");
  form.append("strength", String(asked.strength));
  for (const output of asked.outputs) form.append("outputs", output);
  const headers = { Accept: "text/event-stream" };
  for (;;) {
    const answer = await fetch("restore", { method: "POST", body: form, headers, signal });
    if (answer.ok) return unpack(await lastEvent(answer, tell));
    if (answer.status !== 429) throw await refusalOf(answer);
    tell("waits", { ahead: null });
    await pause(Number(answer.headers.get("Retry-After") ?? 5), signal);
  }
}

async function refusalOf(answer) {
  const told = await answer.json().catch(() => ({}));
  return new Refused(told.detail ?? `the server answered ${answer.status}`, answer.status);
}

/** Reads events to their end; the data of `finished`, or throws what was refused. */
async function lastEvent(answer, tell) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  const pieces = []; // Of the event that is not complete yet: photos take many of them.
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Refused("the server stopped before it was done; try again", 0);
    pieces.push(value);
    if (!value.includes("\n") && !value.endsWith("\n")) continue;
    const blocks = pieces.join("").split("\n\n");
    pieces.splice(0, pieces.length, blocks.pop());
    for (const block of blocks) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? [];
      if (!name) continue;
      const table = JSON.parse(data);
      if (name === "finished") return table;
      if (name === "refused") throw new Refused(table.detail, table.status);
      tell(name, table);
    }
  }
}

function unpack({ report, files }) {
  const unpacked = Object.entries(files).map(([output, { name, type, base64 }]) => {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
    return [output, new File([bytes], name, { type })];
  });
  return { report, files: Object.fromEntries(unpacked) };
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
