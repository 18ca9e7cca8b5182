;; A long block is cut.
;;
;; entry:  ; entered from outside
;;   000  00b50533  add a0,a0,a1
;;   004  00b50533  add a0,a0,a1
;;   008  00b50533  add a0,a0,a1
;;   00c  00b50533  add a0,a0,a1
;;   010  00b50533  add a0,a0,a1
;;   014  00b50533  add a0,a0,a1
;;   018  00b50533  add a0,a0,a1
;;   01c  00b50533  add a0,a0,a1
;;   020  00b50533  add a0,a0,a1
;;   024  00b50533  add a0,a0,a1
;;   028  00b50533  add a0,a0,a1
;;   02c  00b50533  add a0,a0,a1
;;   030  00b50533  add a0,a0,a1
;;   034  00b50533  add a0,a0,a1
;;   038  00b50533  add a0,a0,a1
;;   03c  00b50533  add a0,a0,a1
;;   040  00b50533  add a0,a0,a1
;;   044  00b50533  add a0,a0,a1
;;   048  00b50533  add a0,a0,a1
;;   04c  00b50533  add a0,a0,a1
;;   050  00b50533  add a0,a0,a1
;;   054  00b50533  add a0,a0,a1
;;   058  00b50533  add a0,a0,a1
;;   05c  00b50533  add a0,a0,a1
;;   060  00b50533  add a0,a0,a1
;;   064  00b50533  add a0,a0,a1
;;   068  00b50533  add a0,a0,a1
;;   06c  00b50533  add a0,a0,a1
;;   070  00b50533  add a0,a0,a1
;;   074  00b50533  add a0,a0,a1
;;   078  00b50533  add a0,a0,a1
;;   07c  00b50533  add a0,a0,a1
;;   080  00b50533  add a0,a0,a1
;;   084  00b50533  add a0,a0,a1
;;   088  00b50533  add a0,a0,a1
;;   08c  00b50533  add a0,a0,a1
;;   090  00b50533  add a0,a0,a1
;;   094  00b50533  add a0,a0,a1
;;   098  00b50533  add a0,a0,a1
;;   09c  00b50533  add a0,a0,a1
;;   0a0  00b50533  add a0,a0,a1
;;   0a4  00b50533  add a0,a0,a1
;;   0a8  00b50533  add a0,a0,a1
;;   0ac  00b50533  add a0,a0,a1
;;   0b0  00b50533  add a0,a0,a1
;;   0b4  00b50533  add a0,a0,a1
;;   0b8  00b50533  add a0,a0,a1
;;   0bc  00b50533  add a0,a0,a1
;;   0c0  00b50533  add a0,a0,a1
;;   0c4  00b50533  add a0,a0,a1
;;   0c8  00b50533  add a0,a0,a1
;;   0cc  00b50533  add a0,a0,a1
;;   0d0  00b50533  add a0,a0,a1
;;   0d4  00b50533  add a0,a0,a1
;;   0d8  00b50533  add a0,a0,a1
;;   0dc  00b50533  add a0,a0,a1
;;   0e0  00b50533  add a0,a0,a1
;;   0e4  00b50533  add a0,a0,a1
;;   0e8  00b50533  add a0,a0,a1
;;   0ec  00b50533  add a0,a0,a1
;;   0f0  00b50533  add a0,a0,a1
;;   0f4  00b50533  add a0,a0,a1
;;   0f8  00b50533  add a0,a0,a1
;;   0fc  00b50533  add a0,a0,a1
;;   100  00b50533  add a0,a0,a1
;;   104  00b50533  add a0,a0,a1
;;   108  00b50533  add a0,a0,a1
;;   10c  00b50533  add a0,a0,a1
;;   110  00b50533  add a0,a0,a1
;;   114  00b50533  add a0,a0,a1
;;   118  00b50533  add a0,a0,a1
;;   11c  00b50533  add a0,a0,a1
;;   120  00b50533  add a0,a0,a1
;;   124  00b50533  add a0,a0,a1
;;   128  00b50533  add a0,a0,a1
;;   12c  00b50533  add a0,a0,a1
;;   130  00b50533  add a0,a0,a1
;;   134  00b50533  add a0,a0,a1
;;   138  00b50533  add a0,a0,a1
;;   13c  00b50533  add a0,a0,a1
;;   140  00b50533  add a0,a0,a1
;;   144  00b50533  add a0,a0,a1
;;   148  00b50533  add a0,a0,a1
;;   14c  00b50533  add a0,a0,a1
;;   150  00b50533  add a0,a0,a1
;;   154  00b50533  add a0,a0,a1
;;   158  00b50533  add a0,a0,a1
;;   15c  00b50533  add a0,a0,a1
;;   160  00b50533  add a0,a0,a1
;;   164  00b50533  add a0,a0,a1
;;   168  00b50533  add a0,a0,a1
;;   16c  00b50533  add a0,a0,a1
;;   170  00b50533  add a0,a0,a1
;;   174  00b50533  add a0,a0,a1
;;   178  00b50533  add a0,a0,a1
;;   17c  00b50533  add a0,a0,a1
;;   180  00b50533  add a0,a0,a1
;;   184  00b50533  add a0,a0,a1
;;   188  00b50533  add a0,a0,a1
;;   18c  00b50533  add a0,a0,a1
;;   190  00b50533  add a0,a0,a1
;;   194  00b50533  add a0,a0,a1
;;   198  00b50533  add a0,a0,a1
;;   19c  00b50533  add a0,a0,a1
;;   1a0  00b50533  add a0,a0,a1
;;   1a4  00b50533  add a0,a0,a1
;;   1a8  00b50533  add a0,a0,a1
;;   1ac  00b50533  add a0,a0,a1
;;   1b0  00b50533  add a0,a0,a1
;;   1b4  00b50533  add a0,a0,a1
;;   1b8  00b50533  add a0,a0,a1
;;   1bc  00b50533  add a0,a0,a1
;;   1c0  00b50533  add a0,a0,a1
;;   1c4  00b50533  add a0,a0,a1
;;   1c8  00b50533  add a0,a0,a1
;;   1cc  00b50533  add a0,a0,a1
;;   1d0  00b50533  add a0,a0,a1
;;   1d4  00b50533  add a0,a0,a1
;;   1d8  00b50533  add a0,a0,a1
;;   1dc  00b50533  add a0,a0,a1
;;   1e0  00b50533  add a0,a0,a1
;;   1e4  00b50533  add a0,a0,a1
;;   1e8  00b50533  add a0,a0,a1
;;   1ec  00b50533  add a0,a0,a1
;;   1f0  00b50533  add a0,a0,a1
;;   1f4  00b50533  add a0,a0,a1
;;   1f8  00b50533  add a0,a0,a1
;;   1fc  00b50533  add a0,a0,a1
;;   200  00b50533  add a0,a0,a1
;;   204  00b50533  add a0,a0,a1
;;   208  00008067  jalr zero,0(ra)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $x11 i64) (local $x1 i64) (local $local10 i64)
    (local $local11 i32) (local $local12 i32) (local $local13 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x1 (i64.load offset=8 (i32.const 0 (;ra;))))
    (block $chain (block $stop (loop $dispatch (block $indirect
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -100)))
      ;; 000: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 004: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 008: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 00c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 010: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 014: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 018: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 01c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 020: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 024: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 028: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 02c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 030: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 034: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 038: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 03c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 040: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 044: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 048: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 04c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 050: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 054: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 058: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 05c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 060: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 064: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 068: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 06c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 070: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 074: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 078: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 07c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 080: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 084: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 088: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 08c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 090: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 094: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 098: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 09c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0a0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0a4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0a8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0ac: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0b0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0b4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0b8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0bc: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0c0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0c4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0c8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0cc: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0d0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0d4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0d8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0dc: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0e0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0e4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0e8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0ec: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0f0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0f4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0f8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 0fc: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 100: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 104: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 108: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 10c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 110: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 114: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 118: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 11c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 120: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 124: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 128: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 12c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 130: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 134: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 138: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 13c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 140: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 144: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 148: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 14c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 150: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 154: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 158: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 15c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 160: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 164: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 168: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 16c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 170: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 174: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 178: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 17c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 180: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 184: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 188: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 18c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -31)))
      ;; 190: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 194: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 198: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 19c: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1a0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1a4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1a8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1ac: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1b0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1b4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1b8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1bc: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1c0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1c4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1c8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1cc: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1d0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1d4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1d8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1dc: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1e0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1e4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1e8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1ec: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1f0: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1f4: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1f8: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 1fc: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 200: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 204: add a0,a0,a1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
      ;; 208: jalr zero,0(ra)
      (local.set $local10 (i64.and (local.get $x1) (i64.const -2)))
      (local.set $target (local.get $local10))
      (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (br $chain)
    ) ;; $indirect
      (local.set $pend (i32.wrap_i64 (i64.sub (local.get $target) (local.get $page))))
      (local.set $local11
        (i32.load offset=16810048 (i32.shl (i32.and (local.get $pend) (i32.const 4094)) (i32.const 1))))
      (if (;likely;) (i32.eq (i32.and (local.get $local11) (i32.const 65535)) (i32.const 32775))
        (then
          (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 512))
            (then
              (local.set $stop_place (local.get $pend))
              (br $stop)))
          (local.set $pend (i32.add (i32.shr_u (local.get $local11) (i32.const 16)) (i32.const 1)))
          (br $dispatch)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (br $chain)
    )
    ) ;; $stop
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local12
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local10 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local12))
        (i64.or (local.get $local10) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local13
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local12))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local13) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local13) (i32.const 16))
              (local.get $local10)
              (i32.and (local.get $local13) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
