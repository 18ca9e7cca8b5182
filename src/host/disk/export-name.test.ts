import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatExportName, parseExportName } from './export-name.ts';

const HEX = '00112233445566778899aabbccddeeff';

test('names are read as they are written', () => {
  for (const name of [
    { vm: '', writer: undefined },
    { vm: 'demo', writer: undefined },
    { vm: 'demo', writer: { generation: 0, incarnation: HEX, session: undefined } },
    { vm: 'a.b-c_1', writer: { generation: 123, incarnation: HEX, session: HEX } },
  ]) {
    assert.deepEqual(parseExportName(formatExportName(name)), name);
  }
});

test('anything else is refused, so that a typing error never opens a disk for writing or reading', () => {
  for (const text of [
    'Demo',
    '../demo',
    'demo?',
    'demo?generation=1',
    `demo?incarnation=${HEX}&generation=1`,
    `demo?generation=01&incarnation=${HEX}`,
    `demo?generation=-1&incarnation=${HEX}`,
    `demo?generation=1&incarnation=${HEX.slice(1)}`,
    `demo?generation=1&incarnation=${HEX}&session=1`,
    `demo?generation=1&incarnation=${HEX}&more=1`,
    `demo?generation=1&incarnation=${HEX}?`,
  ]) {
    assert.throws(() => parseExportName(text), { code: 'bad-export-name' }, text);
  }
});
