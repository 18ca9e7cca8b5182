;; The inner loop of a bytecode interpreter: a byte, a table, a jump.
;;
;; entry:  ; entered from outside
;;   000  00044783  lbu a5,0(s0)
;;   004  00140413  addi s0,s0,1
;;   008  2097e7b3  sh3add a5,a5,s1
;;   00c  0007b783  ld a5,0(a5)
;;   010  00078067  jalr zero,0(a5)
;; op_add:  ; entered from outside
;;   014  00093503  ld a0,0(s2)
;;   018  00893583  ld a1,8(s2)
;;   01c  00890913  addi s2,s2,8
;;   020  00b50533  add a0,a0,a1
;;   024  00a93023  sd a0,0(s2)
;;   028  fd9ff06f  jal zero,0
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x8 i64) (local $local8 i64) (local $local9 i64) (local $local10 i32)
    (local $x15 i64) (local $x9 i64) (local $x10 i64) (local $x11 i64) (local $x18 i64)
    (local $local16 i32) (local $local17 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x8 (i64.load offset=64 (i32.const 0 (;s0;))))
    (local.set $x15 (i64.load offset=120 (i32.const 0 (;a5;))))
    (local.set $x9 (i64.load offset=72 (i32.const 0 (;s1;))))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x18 (i64.load offset=144 (i32.const 0 (;s2;))))
    (block $chain (block $stop (loop $dispatch (block $indirect (block $to_000
      (br_if $to_000 (i32.eqz (local.get $pend)))
      (br_table $to_000 $to_000 $to_000 (i32.add (local.get $pend) (i32.const -1)))
    ) ;; $to_000
      (loop $loop_000 (block $to_014 (block $to_000_2
        (br_if $to_000_2 (i32.eqz (local.get $pend)))
        (br_table $to_000_2 $to_014 $to_000_2 (i32.add (local.get $pend) (i32.const -1)))
      ) ;; $to_000_2
        (local.set $pend (i32.const 0))
        (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 5))
          (then
            (local.set $stop_place (i32.const 0))
            (br $stop)))
        (local.set $remaining (i32.add (local.get $remaining) (i32.const -5)))
        ;; 000: lbu a5,0(s0)
        (local.set $local8 (local.get $x8))
        (local.set $local10
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local8) (i64.const 7))) (i32.const 0x1ffe0))))
        (if (;likely;)
          (i64.eq
            (i64.load (local.get $local10))
            (i64.or
              (i64.and (local.get $local8) (i64.const -4096))
              (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
          (then
            (local.set $local9
              (i64.load8_u
                (i32.add (i32.wrap_i64 (local.get $local8)) (i32.load offset=24 (local.get $local10))))))
          (else
            (local.set $stop_place (i32.const 0x50000))
            (br $stop)))
        (local.set $x15 (local.get $local9))
        ;; 004: addi s0,s0,1
        (local.set $x8 (i64.add (local.get $x8) (i64.const 1)))
        ;; 008: sh3add a5,a5,s1
        (local.set $x15 (i64.add (local.get $x9) (i64.shl (local.get $x15) (i64.const 3))))
        ;; 00c: ld a5,0(a5)
        (local.set $local9 (local.get $x15))
        (local.set $local10
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
        (if (;likely;)
          (i64.eq
            (i64.load (local.get $local10))
            (i64.or
              (i64.and (local.get $local9) (i64.const -4089))
              (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
          (then
            (local.set $local8
              (i64.load
                (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
          (else
            (local.set $stop_place (i32.const 0x2000c))
            (br $stop)))
        (local.set $x15 (local.get $local8))
        ;; 010: jalr zero,0(a5)
        (local.set $local8 (i64.and (local.get $x15) (i64.const -2)))
        (local.set $target (local.get $local8))
        (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
        (i64.store offset=64 (i32.const 0 (;s0;)) (local.get $x8))
        (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
        (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
        (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
        (i64.store offset=144 (i32.const 0 (;s2;)) (local.get $x18))
        (br $chain)
      ) ;; $to_014
        (local.set $pend (i32.const 0))
        (local.set $remaining (i32.add (local.get $remaining) (i32.const -6)))
        ;; 014: ld a0,0(s2)
        (local.set $local8 (local.get $x18))
        (local.set $local10
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local8) (i64.const 7))) (i32.const 0x1ffe0))))
        (if (;likely;)
          (i64.eq
            (i64.load (local.get $local10))
            (i64.or
              (i64.and (local.get $local8) (i64.const -4089))
              (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
          (then
            (local.set $local9
              (i64.load
                (i32.add (i32.wrap_i64 (local.get $local8)) (i32.load offset=24 (local.get $local10))))))
          (else
            (local.set $stop_place (i32.const 0x60014))
            (br $stop)))
        (local.set $x10 (local.get $local9))
        ;; 018: ld a1,8(s2)
        (local.set $local9 (i64.add (local.get $x18) (i64.const 8)))
        (local.set $local10
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
        (if (;likely;)
          (i64.eq
            (i64.load (local.get $local10))
            (i64.or
              (i64.and (local.get $local9) (i64.const -4089))
              (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
          (then
            (local.set $local8
              (i64.load
                (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
          (else
            (local.set $stop_place (i32.const 0x50018))
            (br $stop)))
        (local.set $x11 (local.get $local8))
        ;; 01c: addi s2,s2,8
        (local.set $x18 (i64.add (local.get $x18) (i64.const 8)))
        ;; 020: add a0,a0,a1
        (local.set $x10 (i64.add (local.get $x10) (local.get $x11)))
        ;; 024: sd a0,0(s2)
        (local.set $local8 (local.get $x18))
        (local.set $local10
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local8) (i64.const 7))) (i32.const 0x1ffe0))))
        (if (;likely;)
          (i64.eq
            (i64.load offset=8 (local.get $local10))
            (i64.or
              (i64.and (local.get $local8) (i64.const -4089))
              (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
          (then
            (i64.store
              (i32.add (i32.wrap_i64 (local.get $local8)) (i32.load offset=24 (local.get $local10)))
              (local.get $x10)))
          (else
            (local.set $stop_place (i32.const 0x20024))
            (br $stop)))
        ;; 028: jal zero,0
        (br $loop_000)
      )
    ) ;; $indirect
      (local.set $pend (i32.wrap_i64 (i64.sub (local.get $target) (local.get $page))))
      (local.set $local10
        (i32.load offset=16810048 (i32.shl (i32.and (local.get $pend) (i32.const 4094)) (i32.const 1))))
      (if (;likely;) (i32.eq (i32.and (local.get $local10) (i32.const 65535)) (i32.const 32775))
        (then
          (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 512))
            (then
              (local.set $stop_place (local.get $pend))
              (br $stop)))
          (local.set $pend (i32.add (i32.shr_u (local.get $local10) (i32.const 16)) (i32.const 1)))
          (br $dispatch)))
      (i64.store offset=64 (i32.const 0 (;s0;)) (local.get $x8))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (i64.store offset=144 (i32.const 0 (;s2;)) (local.get $x18))
      (br $chain)
    )
    ) ;; $stop
      (i64.store offset=64 (i32.const 0 (;s0;)) (local.get $x8))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (i64.store offset=144 (i32.const 0 (;s2;)) (local.get $x18))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local16
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local8 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local16))
        (i64.or (local.get $local8) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local17
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local16))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local17) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local17) (i32.const 16))
              (local.get $local8)
              (i32.and (local.get $local17) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
