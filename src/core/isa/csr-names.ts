/**
 * Names of the CSRs that an M/S/U hart with F, Zicntr, Sstc, PMP and debug triggers has (RISC-V privileged specification
 * 1.12, tables 2.2 to 2.5; Sstc: `stimecmp`), number to name and back. That a name is here does not mean that the
 * machine implements it: machine/ decides that.
 */
const numbered = (prefix: string, base: number, from: number, to: number, step = 1): [number, string][] => {
  const all: [number, string][] = [];
  for (let i = from; i <= to; i += step) all.push([base + i, `${prefix}${i}`]);
  return all;
};

export const csrNames: ReadonlyMap<number, string> = new Map<number, string>([
  // Unprivileged
  [0x001, 'fflags'],
  [0x002, 'frm'],
  [0x003, 'fcsr'],
  [0xc00, 'cycle'],
  [0xc01, 'time'],
  [0xc02, 'instret'],
  ...numbered('hpmcounter', 0xc00, 3, 31),
  // Supervisor
  [0x100, 'sstatus'],
  [0x104, 'sie'],
  [0x105, 'stvec'],
  [0x106, 'scounteren'],
  [0x10a, 'senvcfg'],
  [0x140, 'sscratch'],
  [0x141, 'sepc'],
  [0x142, 'scause'],
  [0x143, 'stval'],
  [0x144, 'sip'],
  [0x14d, 'stimecmp'],
  [0x180, 'satp'],
  // Machine
  [0xf11, 'mvendorid'],
  [0xf12, 'marchid'],
  [0xf13, 'mimpid'],
  [0xf14, 'mhartid'],
  [0xf15, 'mconfigptr'],
  [0x300, 'mstatus'],
  [0x301, 'misa'],
  [0x302, 'medeleg'],
  [0x303, 'mideleg'],
  [0x304, 'mie'],
  [0x305, 'mtvec'],
  [0x306, 'mcounteren'],
  [0x30a, 'menvcfg'],
  [0x320, 'mcountinhibit'],
  ...numbered('mhpmevent', 0x320, 3, 31),
  [0x340, 'mscratch'],
  [0x341, 'mepc'],
  [0x342, 'mcause'],
  [0x343, 'mtval'],
  [0x344, 'mip'],
  // RV64 has the even pmpcfg registers only.
  ...numbered('pmpcfg', 0x3a0, 0, 14, 2),
  ...numbered('pmpaddr', 0x3b0, 0, 63),
  [0xb00, 'mcycle'],
  [0xb02, 'minstret'],
  ...numbered('mhpmcounter', 0xb00, 3, 31),
  // Debug triggers, shared with debug mode
  [0x7a0, 'tselect'],
  [0x7a1, 'tdata1'],
  [0x7a2, 'tdata2'],
  [0x7a3, 'tdata3'],
]);

export const csrNumbers: ReadonlyMap<string, number> = new Map([...csrNames].map(([number, name]) => [name, number]));
