/**
 * What VMware has published of its FT: D. J. Scales, M. Nelson, G. Venkitachalam, "The Design of a Practical System for Fault-Tolerant Virtual Machines",
 * ACM SIGOPS Operating Systems Review 44 (4), 2010. Theirs, as they stand there; nothing of it was measured here.
 */
export const PUBLISHED = {
  ratio: '0.94 to 0.99',
  idleMbits: '0.5 to 1.5',
  loadedMbits: '1.5 to 18',
  interruption: 'below 1000',
} as const;

export const PUBLISHED_NOTE = `VMware's figures are those of Scales, Nelson and Venkitachalam (*The Design of a Practical System for Fault-Tolerant Virtual Machines*, 2010), not measured here, and of
another world: x86 guests that their processors run themselves, primary and backup each on a server of its own with eight cores and a 10 Gbit/s link between them, applications (SPECjbb, a kernel's
compilation, two databases) instead of redis. Here a riscv64 guest is translated, and primary, backup, hub, disk server and client share the cores of one machine. So the columns say of what size things
are, not who is better: a ratio near theirs needs a core for each replica that nobody else wants.`;
