/** `understudy exec`: a bare-metal program on a machine of its own; its `tohost` becomes the exit status. */
import { readFile, writeFile } from 'node:fs/promises';
import { OperatingError } from '../../../core/base/error.ts';
import { type BareMetalEnd, BareMetalProgram } from '../../../host/exec/bare-metal.ts';
import { type SignatureRange, signatureRange, signatureText } from '../../../host/exec/signature.ts';
import { exitStatus } from '../failure.ts';
import type { ExecRequest } from '../requests.ts';

const LARGEST_STATUS = 255n;

/** Gives 0 for a pass, n (at most 255) if the program says that its test n failed, and 1 if it did not end. */
export async function exec(request: ExecRequest): Promise<number> {
  const { file } = request;
  const program = new BareMetalProgram({
    program: await readProgram(file),
    name: file,
    memoryBytes: request.memoryBytes,
    engine: request.engine,
    maxSteps: request.maxSteps,
    onConsole: (data) => process.stdout.write(data),
    onTrace: request.trace ? (line) => process.stderr.write(`${line}\n`) : undefined,
  });
  const { elf, ram } = program.machine;
  let signature: SignatureRange | undefined;
  if (request.signature !== undefined && elf !== undefined) {
    signature = signatureRange(elf, file);
    if (ram.read(signature.start, signature.lengthBytes) === undefined) {
      throw new OperatingError('no-signature', `the signature of ${file} lies outside its memory`, 'Give it --memory.');
    }
  }
  if (!program.canEnd) {
    const stop = request.maxSteps === undefined ? 'only Ctrl-C or --max-steps stops it' : 'it stops at --max-steps';
    process.stderr.write(`understudy: ${file} has no symbol "tohost" in its memory: ${stop}\n`);
  }
  const end = await program.run();
  if (request.signature !== undefined && signature !== undefined && end.kind === 'exit') {
    await writeSignature(request.signature, ram.read(signature.start, signature.lengthBytes) ?? new Uint8Array());
  }
  return report(end, program, request);
}

function report(end: BareMetalEnd, program: BareMetalProgram, { file, maxSteps }: ExecRequest): number {
  switch (end.kind) {
    case 'exit':
      if (end.status === 0n) return exitStatus.success;
      process.stderr.write(`understudy: ${file}: test ${end.status} failed (position ${program.machine.position})\n`);
      return Number(end.status < LARGEST_STATUS ? end.status : LARGEST_STATUS);
    case 'max-steps':
      throw new OperatingError(
        'max-steps',
        `${file} did not end within ${maxSteps} steps: it is ${program.place}`,
        'Give it more with --max-steps, or see what it does with --trace.',
      );
    case 'waits':
      throw new OperatingError(
        'never-ends',
        `${file} waits in wfi for an interrupt that cannot come, ${program.place}`,
        'Arm a timer and enable its interrupt before wfi, or end the program by tohost.',
      );
    case 'loops':
      throw new OperatingError(
        'never-ends',
        `${file} jumps to itself for ever, ${program.place}`,
        'End the program by storing 1 (pass) or (n << 1) | 1 (test n failed) to tohost.',
      );
  }
}

async function readProgram(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    throw new OperatingError('program', `the program ${file} ${missing}`, 'Name a RISC-V ELF file.', { cause: error });
  }
}

async function writeSignature(file: string, memory: Uint8Array): Promise<void> {
  try {
    await writeFile(file, signatureText(memory));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OperatingError(
      'signature',
      `the signature cannot be written to ${file} (${code})`,
      'Name another file.',
      {
        cause: error,
      },
    );
  }
}
