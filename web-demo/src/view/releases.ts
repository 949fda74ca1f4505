// The channel that the server follows: what is in use since when, what happens to it, who else follows it.
//
// Only where `lakegate serve` serves the page with a registry. Decisions to know: what is in use here and what the
// registry's document says are two things, and both are shown where they differ; the page asks again every two seconds
// while this is looked at, and draws anew only what changed, so that nobody loses their place.

import { grid, h } from '../dom';
import type { ChannelDocument, ChannelEvent, Following, Host, InUse, Past, Serving } from '../following';
import { lake, type About } from '../lake';
import { madeBy, number, share, when } from '../words';
import { besideInShort, besideView, readBeside, type Beside } from './shadows';
import { banner } from './summary';

/** Between two questions, and where the last one was not answered. */
const LOOK_MILLISECONDS = 2_000;
const RETRY_MILLISECONDS = 10_000;
/** What ran beside costs more to read: it is asked for with every fifth question, and when something changed. */
const BESIDE_EVERY = 5;
/** Changes of the channel that are shown. */
const CHANGES = 20;

/** The releases as they are now; asks again for as long as it is on the page. `moved` is called when something happened. */
export function releasesView(moved: () => void): HTMLElement {
  const state = h('div');
  const log = h('ol', { class: 'events' });
  const quiet = h('p', { class: 'soft' }, 'Nothing happened to the channel since this server began.');
  const beside = h('div');
  const rest = h('div');
  const place = h('section', { class: 'lake releases', 'aria-label': 'Releases' }, state, h('h3', {}, 'Events'), quiet, h('div', { role: 'log', 'aria-label': 'Events' }, log), beside, rest);
  const [drawState, drawBeside, drawRest] = [state, beside, rest].map(onChange) as [Draw, Draw, Draw];
  const open = new Set<string>();
  let [newest, looks] = [0, 0];
  let about: About | null = null;
  let shadows: Beside[] = [];
  const look = async (): Promise<void> => {
    // The release of a server that follows no channel stays what it is.
    const { release } = (about ??= await lake.about());
    const following = await lake.following();
    const { serving, document: channel, refused, events, hosts } = following;
    const fresh = events.filter(({ number }) => number > newest);
    if (looks++ % BESIDE_EVERY === 0 || fresh.length > 0) shadows = await readBeside();
    drawState({ serving, channel, refused, shadows, fresh }, () => inUse(release, following, shadows));
    newest = Math.max(newest, ...fresh.map(({ number }) => number));
    log.prepend(...fresh.map(event));
    if (fresh.length > 0 && channel) moved();
    quiet.hidden = log.childElementCount > 0;
    drawBeside(shadows, () => besides(shadows, open));
    drawRest({ channel, hosts }, () => [...hostsOf(hosts, serving, channel), ...changes(channel)]);
  };
  const again = async (): Promise<void> => {
    let wait = LOOK_MILLISECONDS;
    try {
      if (document.visibilityState === 'visible') await look();
    } catch (error) {
      drawState((error as Error).message, () => [banner(`the releases cannot be read: ${(error as Error).message}`, '', '')]);
      wait = RETRY_MILLISECONDS;
    }
    window.setTimeout(() => place.isConnected && void again(), wait);
  };
  void again();
  return place;
}

type Draw = (facts: unknown, draw: () => HTMLElement[]) => void;

/** Draws a place anew where the facts are others than the last time. */
function onChange(place: HTMLElement): Draw {
  let known = '';
  return (facts, draw) => {
    const now = JSON.stringify(facts);
    if (now === known) return;
    known = now;
    place.replaceChildren(...draw());
  };
}

/** What is in use here, and what keeps it from being what the registry says. */
function inUse(release: About['release'], following: Following, shadows: Beside[]): HTMLElement[] {
  const { serving, document: channel } = following;
  const name = serving?.channel ?? channel?.name ?? release?.name ?? '';
  return [...troubles(name, following), headline(name, serving, channel, release), h('div', { class: 'roles' }, ...roles(name, serving, channel, shadows))];
}

function troubles(name: string, { serving, refused, events }: Following): HTMLElement[] {
  const found: HTMLElement[] = [];
  const told = (what: string, code: string, hint: string, stays: string): void => {
    found.push(banner(what, '', hint, h('p', { class: 'soft' }, h('code', {}, code), ` · ${stays}`)));
  };
  const trouble = serving?.trouble;
  if (serving && trouble) {
    const which = trouble.sequence > 0 ? `channel document ${trouble.sequence} is not in use here` : 'the channel cannot be followed now';
    // What to do about it was told when it happened.
    const hint = events.find(({ code, message }) => code === trouble.code && message === trouble.message)?.hint ?? '';
    told(`${which}: ${trouble.message}`, trouble.code, hint, `${name}@${serving.stable} stays in use`);
  } else if (refused) {
    told(`the channel ${name} cannot be read: ${refused.message}`, refused.code, refused.hint ?? '', serving ? `${name}@${serving.stable} stays in use` : 'nothing of it is known');
  }
  for (const { version, role: as, message, code } of serving?.left_out ?? []) {
    told(`${name}@${version} is left out as ${as}: ${message}`, code, '', 'the document goes on without it; it is tried again');
  }
  return found;
}

function headline(name: string, serving: Serving | null, channel: ChannelDocument | null, release: About['release']): HTMLElement {
  if (!serving) {
    const said = channel ? `; its channel is at document ${channel.sequence}` : '';
    return h('p', { class: 'sentence' }, 'This server runs ', h('strong', {}, release ? `${release.name}@${release.version}` : name), ` whatever its channel says${said}.`);
  }
  const differs = channel && channel.sequence !== serving.sequence;
  return h(
    'div',
    {},
    h('p', { class: 'sentence' }, 'Channel ', h('strong', {}, name), ': ', h('strong', {}, `document ${serving.sequence}`), ` is in use here since ${when(serving.since)}.`),
    differs ? h('p', { class: 'warn' }, `The registry has document ${channel.sequence}, with ${name}@${channel.stable.version} as stable.`) : null,
  );
}

function roles(name: string, serving: Serving | null, channel: ChannelDocument | null, shadows: Beside[]): HTMLElement[] {
  const stable = serving?.stable ?? channel?.stable.version;
  const canary = serving ? serving.canary : channel?.canary;
  const shadow = serving ? serving.shadow : channel?.shadow?.version;
  const since = (entry: InUse | null | undefined, version: string): string => (entry?.version === version ? `since ${when(entry.since)}` : '');
  const leftOut = (role: string): string | undefined => serving?.left_out.find((left) => left.role === role)?.version;
  const rest = canary ? `takes the other ${share(1000 - canary.permille)} of the objects` : 'takes all objects';
  const beside = shadows.find(({ release }) => release === `${name}@${shadow ?? ''}`);
  return [
    role('Stable', name, stable, [stable ? rest : '', stable ? stableSince(stable, serving, channel) : '']),
    role('Canary', name, canary?.version, [canary ? `takes ${share(canary.permille)} of the objects` : '', canary ? since(channel?.canary, canary.version) : ''], leftOut('canary')),
    role('Shadow', name, shadow ?? undefined, [shadow ? 'runs beside, writes nothing' : '', shadow ? since(channel?.shadow, shadow) : '', beside ? besideInShort(beside) : ''], leftOut('shadow')),
  ];
}

/** Since when it is stable: as the document has it, or its history where a newer document has another. */
function stableSince(version: string, serving: Serving | null, channel: ChannelDocument | null): string {
  if (channel?.stable.version === version) return `since ${when(channel.stable.since)}`;
  const past = (channel?.history ?? []).filter(({ sequence }) => sequence <= (serving?.sequence ?? 0));
  const other = past.findIndex(({ stable }) => stable.version !== version);
  const first = (other < 0 ? past : past.slice(0, other)).at(-1);
  return first ? `since ${when(first.at)}` : '';
}

function role(title: string, name: string, version: string | undefined, lines: string[], leftOut?: string): HTMLElement {
  const what = version ? h('p', { class: 'release' }, `${name}@${version}`) : h('p', { class: leftOut ? 'warn' : 'soft' }, leftOut ? `${name}@${leftOut}, left out` : 'none');
  return h('section', { class: 'role', 'aria-label': title }, h('h3', {}, title), what, ...lines.filter((line) => line !== '').map((line) => h('p', { class: 'soft' }, line)));
}

/** The words of the log, for each kind of event: how it went, and what it says. */
const SAID: Record<ChannelEvent['what'], ['good' | 'wrong' | 'soft', (event: ChannelEvent) => string]> = {
  swap_begun: ['soft', ({ sequence, release }) => `Document ${sequence} is new: loading ${release}`],
  swapped: ['good', ({ sequence, release }) => `Document ${sequence} is in use: ${release} is stable`],
  swap_refused: ['wrong', ({ sequence, release }) => `Document ${sequence} is refused: ${release} stays`],
  channel_refused: ['wrong', ({ sequence, release }) => `${sequence > 0 ? `Document ${sequence}` : 'The channel’s document'} is refused: ${release} stays`],
  left_out: ['wrong', ({ sequence, release }) => `Document ${sequence} goes on without ${release}`],
  canary_aborted: ['wrong', ({ release }) => `The canary ${release} is aborted: stable takes all objects`],
  unreachable: ['wrong', ({ release }) => `The registry cannot be read: ${release} stays`],
  back_again: ['good', () => 'The registry can be read again'],
};

function event(one: ChannelEvent): HTMLElement {
  const [tone, text] = SAID[one.what];
  const reason = one.message ? h('p', {}, one.message, ' ', h('code', {}, one.code ?? '')) : null;
  return h(
    'li',
    { class: tone },
    h('p', {}, h('strong', { class: tone === 'soft' ? undefined : tone }, text(one)), h('span', { class: 'soft' }, ` · ${when(one.at, true)}`)),
    reason,
    one.hint ? h('p', { class: 'soft' }, `hint: ${one.hint}`) : null,
  );
}

function besides(shadows: Beside[], open: Set<string>): HTMLElement[] {
  if (shadows.length === 0) return [];
  return [h('h3', {}, 'What ran beside'), ...shadows.map((beside) => besideView(beside, open))];
}

function hostsOf(hosts: Host[], serving: Serving | null, channel: ChannelDocument | null): HTMLElement[] {
  // This server itself is told above, and now.
  const others = hosts.filter(({ pipeline }) => !(serving && pipeline === 'serve'));
  if (others.length === 0) return [];
  const rows = others.map(({ pipeline, at, host }) => [pipeline, madeBy(`${host.channel}@${host.stable}`, host.sequence), when(at), standing(host, channel)]);
  return [h('h3', {}, 'Others that write to this lake'), grid('Others that write to this lake', ['host', 'release in use', 'since', 'state'], rows)];
}

function standing({ channel: name, sequence, trouble, left_out: left }: Host['host'], channel: ChannelDocument | null): HTMLElement {
  if (trouble) return h('span', { class: 'wrong' }, `${trouble.message} (${trouble.code})`);
  if (left && left.length > 0) return h('span', { class: 'wrong' }, left.map(({ role: as, version, message }) => `without the ${as} ${version}: ${message}`).join('; '));
  const behind = channel && channel.name === name && sequence < channel.sequence;
  return behind ? h('span', { class: 'soft' }, `the channel is at document ${channel.sequence}: it looks with its next object`) : h('span', { class: 'good' }, 'follows the channel');
}

const CHANGED: Record<Past['change'], string> = {
  promote: 'is stable',
  canary: 'is the canary',
  shadow: 'is the shadow',
  rollback: 'is taken back',
  end_canary: 'is no canary any more',
  end_shadow: 'is no shadow any more',
};

function changes(channel: ChannelDocument | null): HTMLElement[] {
  if (!channel) return [];
  const rows = channel.history.slice(0, CHANGES).map(({ sequence, at, change, release, by, reason, key }) => [
    number(sequence),
    when(at),
    `${channel.name}@${release.version} ${CHANGED[change]}`,
    by ?? '',
    h('code', {}, key ?? ''),
    reason ?? '',
  ]);
  const more = channel.history.length - CHANGES;
  return [
    h('h3', {}, 'Changes of the channel'),
    grid('Changes of the channel', ['>document', 'when', 'change', 'by', 'key', 'reason'], rows),
    ...(more > 0 ? [h('p', { class: 'soft' }, `… and ${number(more)} before; lakegate releases ${channel.name} --json has all`)] : []),
  ];
}
