/**
 * The command line's entry. Everything that ends badly ends here: usage errors with status 2, operating errors with 1 and
 * one clear message, bugs with 1 and a report.
 */
import { CommanderError } from 'commander';
import { exitStatus, failureOf } from './failure.ts';
import { program } from './program.ts';

const invocation = process.argv.slice(2);

function fail(error: unknown): void {
  const { text, status } = failureOf(error, invocation);
  process.stderr.write(text);
  process.exitCode = status;
}

// Whoever reads our output has gone (a closed pipe, `| head`): there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitStatus.failure);
  throw error;
});
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});

try {
  await program().parseAsync(invocation, { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its message. Asking for help is no error; having to be shown it is.
    const asked = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
    process.exitCode = asked || error.exitCode === 0 ? exitStatus.success : exitStatus.usage;
  } else {
    fail(error);
  }
}
