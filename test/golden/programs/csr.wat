;; CSR accesses in the midst of other code.
;;
;; entry:  ; entered from outside
;;   000  00150513  addi a0,a0,1
;;   004  100525f3  csrrs a1,sstatus,a0
;;   008  00160613  addi a2,a2,1
;;   00c  14061073  csrrw zero,sscratch,a2
;;   010  c01026f3  csrrs a3,time,zero
;;   014  00168693  addi a3,a3,1
;;   018  00008067  jalr zero,0(ra)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "flush" (func $flush))
  (import "env" "updateModes" (func $updateModes))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $local8 i64) (local $local9 i64) (local $local10 i64)
    (local $local11 i64) (local $local12 i64) (local $local13 i64) (local $local14 i64)
    (local $x11 i64) (local $x12 i64) (local $local17 i32) (local $x13 i64) (local $x1 i64)
    (local $local20 i32) (local $local21 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (local.set $x1 (i64.load offset=8 (i32.const 0 (;ra;))))
    (block $chain (block $stop (loop $dispatch (block $indirect
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -7)))
      ;; 000: addi a0,a0,1
      (local.set $x10 (i64.add (local.get $x10) (i64.const 1)))
      ;; 004: csrrs a1,sstatus,a0
      (i32.store offset=856 (i32.const 0 (;remaining;)) (i32.add (local.get $remaining) (i32.const 5)))
      (if (;unlikely;) (i32.eqz (i32.load offset=536 (i32.const 0 (;privilege;))))
        (then
          (local.set $stop_place (i32.const 0x60004))
          (br $stop)))
      (local.set $local8 (i64.load offset=560 (i32.const 0 (;mstatus;))))
      (local.set $local9
        (i64.or
          (i64.and (local.get $local8) (i64.const 0xc6122))
          (select
            (i64.const 0x8000000000000000)
            (i64.const 0)
            (i64.eq (i64.and (local.get $local8) (i64.const 24576)) (i64.const 24576)))))
      (local.set $local10 (i64.or (local.get $local9) (i64.const 0x200000000)))
      (local.set $local11 (i64.or (local.get $local10) (local.get $x10)))
      (local.set $local12 (i64.load offset=560 (i32.const 0 (;mstatus;))))
      (local.set $local13
        (i64.or
          (i64.and (local.get $local12) (i64.const 0xfffffffffff39edd))
          (i64.and (local.get $local11) (i64.const 0xc6122))))
      (local.set $local14
        (select
          (i64.or
            (i64.and (local.get $local13) (i64.const -6145))
            (i64.and (local.get $local12) (i64.const 6144)))
          (local.get $local13)
          (i64.eq (i64.and (local.get $local13) (i64.const 6144)) (i64.const 4096))))
      (i64.store offset=560 (i32.const 0 (;mstatus;)) (local.get $local14))
      (if
        (i64.ne
          (i64.and (i64.xor (local.get $local12) (local.get $local14)) (i64.const 0x80000))
          (i64.const 0))
        (then
          (call $flush)))
      (if
        (i64.ne
          (i64.and (i64.xor (local.get $local12) (local.get $local14)) (i64.const 0x61800))
          (i64.const 0))
        (then
          (call $updateModes)))
      (local.set $x11 (local.get $local10))
      (if
        (i32.or
          (i32.load offset=852 (i32.const 0 (;exit;)))
          (i64.ne
            (i64.and
              (i64.or
                (i64.load offset=592 (i32.const 0 (;mipSoftware;)))
                (i64.load offset=600 (i32.const 0 (;mipHardware;))))
              (i64.load offset=584 (i32.const 0 (;mie;))))
            (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x50008))
          (br $stop)))
      (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
      ;; 008: addi a2,a2,1
      (local.set $x12 (i64.add (local.get $x12) (i64.const 1)))
      ;; 00c: csrrw zero,sscratch,a2
      (i32.store offset=856 (i32.const 0 (;remaining;)) (i32.add (local.get $remaining) (i32.const 3)))
      (if (;unlikely;) (i32.eqz (i32.load offset=536 (i32.const 0 (;privilege;))))
        (then
          (local.set $stop_place (i32.const 0x4000c))
          (br $stop)))
      (local.set $local14 (i64.load offset=688 (i32.const 0 (;sscratch;))))
      (local.set $local13 (local.get $x12))
      (i64.store offset=688 (i32.const 0 (;sscratch;)) (local.get $local13))
      ;; 010: csrrs a3,time,zero
      (i32.store offset=856 (i32.const 0 (;remaining;)) (i32.add (local.get $remaining) (i32.const 2)))
      (local.set $local17 (i32.load offset=536 (i32.const 0 (;privilege;))))
      (if (;unlikely;)
        (i32.or
          (i32.and
            (i32.ne (local.get $local17) (i32.const 3))
            (i64.eqz
              (i64.and
                (i64.shr_u (i64.load offset=616 (i32.const 0 (;mcounteren;))) (i64.const 1))
                (i64.const 1))))
          (i32.and
            (i32.eqz (local.get $local17))
            (i64.eqz
              (i64.and
                (i64.shr_u (i64.load offset=680 (i32.const 0 (;scounteren;))) (i64.const 1))
                (i64.const 1)))))
        (then
          (local.set $stop_place (i32.const 0x30010))
          (br $stop)))
      (local.set $local13
        (i64.sub
          (i64.add
            (i64.load offset=784 (i32.const 0 (;position;)))
            (i64.extend_i32_u
              (i32.add
                (i32.sub
                  (i32.load offset=860 (i32.const 0 (;limit;)))
                  (i32.load offset=856 (i32.const 0 (;remaining;))))
                (i32.const -1))))
          (i64.load offset=808 (i32.const 0 (;clockPosition;)))))
      (local.set $local14 (i64.load offset=816 (i32.const 0 (;clockSlope;))))
      (local.set $local12
        (i64.add
          (i64.load offset=800 (i32.const 0 (;clockTime;)))
          (i64.add
            (i64.mul (i64.shr_u (local.get $local13) (i64.const 32)) (local.get $local14))
            (i64.shr_u
              (i64.mul (i64.extend_i32_u (i32.wrap_i64 (local.get $local13))) (local.get $local14))
              (i64.const 32)))))
      (local.set $local11 (local.get $local12))
      (local.set $x13 (local.get $local11))
      ;; 014: addi a3,a3,1
      (local.set $x13 (i64.add (local.get $x13) (i64.const 1)))
      ;; 018: jalr zero,0(ra)
      (local.set $local11 (i64.and (local.get $x1) (i64.const -2)))
      (local.set $target (local.get $local11))
      (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (br $chain)
    ) ;; $indirect
      (local.set $pend (i32.wrap_i64 (i64.sub (local.get $target) (local.get $page))))
      (local.set $local17
        (i32.load offset=16810048 (i32.shl (i32.and (local.get $pend) (i32.const 4094)) (i32.const 1))))
      (if (;likely;) (i32.eq (i32.and (local.get $local17) (i32.const 65535)) (i32.const 32775))
        (then
          (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 512))
            (then
              (local.set $stop_place (local.get $pend))
              (br $stop)))
          (local.set $pend (i32.add (i32.shr_u (local.get $local17) (i32.const 16)) (i32.const 1)))
          (br $dispatch)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (br $chain)
    )
    ) ;; $stop
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local20
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local11 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local20))
        (i64.or (local.get $local11) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local21
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local20))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local21) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local21) (i32.const 16))
              (local.get $local11)
              (i32.and (local.get $local21) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
