;; Loads and stores of floating-point registers: no rounding, bits go as they are.
;;
;; entry:  ; entered from outside
;;   000  00013507  fld fa0,0(sp)
;;   004  00a13427  fsd fa0,8(sp)
;;   008  01012007  flw ft0,16(sp)
;;   00c  00012a27  fsw ft0,20(sp)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x2 i64) (local $local8 i64) (local $local9 i64) (local $local10 i32)
    (local $f10 f64) (local $f0 f64) (local $local13 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x2 (i64.load offset=16 (i32.const 0 (;sp;))))
    (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
    (local.set $f0 (f64.load (i32.const 272 (;ft0;))))
    (block $chain (block $stop
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -4)))
      ;; 000: fld fa0,0(sp)
      (if (;unlikely;)
        (i32.or
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (i64.ne (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 224)) (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x40000))
          (br $stop)))
      (local.set $local8 (local.get $x2))
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
          (local.set $stop_place (i32.const 0x40000))
          (br $stop)))
      (local.set $f10 (f64.reinterpret_i64 (local.get $local9)))
      ;; 004: fsd fa0,8(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 8)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4089))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (f64.store
            (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10)))
            (local.get $f10)))
        (else
          (local.set $stop_place (i32.const 0x30004))
          (br $stop)))
      ;; 008: flw ft0,16(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 16)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4093))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local8
            (i64.load32_u
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x20008))
          (br $stop)))
      (local.set $f0 (f64.reinterpret_i64 (i64.or (local.get $local8) (i64.const 0xffffffff00000000))))
      ;; 00c: fsw ft0,20(sp)
      (local.set $local8 (i64.add (local.get $x2) (i64.const 20)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local8) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local10))
          (i64.or
            (i64.and (local.get $local8) (i64.const -4093))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (i64.store32
            (i32.add (i32.wrap_i64 (local.get $local8)) (i32.load offset=24 (local.get $local10)))
            (i64.reinterpret_f64 (local.get $f0))))
        (else
          (local.set $stop_place (i32.const 0x1000c))
          (br $stop)))
      (local.set $target (i64.add (local.get $page) (i64.const 16)))
      (f64.store (i32.const 272 (;ft0;)) (local.get $f0))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (br $chain)
    ) ;; $stop
      (f64.store (i32.const 272 (;ft0;)) (local.get $f0))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local10
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local8 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local10))
        (i64.or (local.get $local8) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local13
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local10))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local13) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local13) (i32.const 16))
              (local.get $local8)
              (i32.and (local.get $local13) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
