;; A store that hits translated code leaves before the next instruction: all that was written until then must be flushed, and
;; the steps not taken given back.
;;
;; entry:  ; entered from outside
;;   000  00450513  addi a0,a0,4
;;   004  00b52023  sw a1,0(a0)
;;   008  00160613  addi a2,a2,1
;;   00c  00b52223  sw a1,4(a0)
;;   010  00168693  addi a3,a3,1
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "storeQuick" (func $storeQuick (param i64 i32 i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $tlb i32) (local $read_generation i64)
    (local $write_generation i64) (local $x10 i64) (local $x11 i64) (local $local10 i64)
    (local $local11 i32) (local $x12 i64) (local $x13 i64) (local $local14 i32)
    (block
      (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
      (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
      (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
      (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
      (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
      (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
      (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
      (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    )
    (block $block (block $block_2
      (loop
        (block)
        (local.set $pend (i32.const 0))
        (if (i32.lt_u (local.get $remaining) (i32.const 5))
          (then
            (local.set $remaining (local.get $remaining))
            (local.set $target (local.get $page))
            (br $block_2)))
        (local.set $remaining (i32.sub (local.get $remaining) (i32.const 5)))
        (local.set $x10 (i64.add (local.get $x10) (i64.const 4)))
        (local.set $local10 (local.get $x10))
        (local.set $local11
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local10) (i64.const 7))) (i32.const 0x1ffe0))))
        (if
          (i64.eq
            (i64.load offset=8 (local.get $local11))
            (i64.or (i64.and (local.get $local10) (i64.const -4093)) (local.get $write_generation)))
          (then
            (i64.store32
              (i32.add (i32.wrap_i64 (local.get $local10)) (i32.load offset=24 (local.get $local11)))
              (local.get $x11)))
          (else
            (call $storeQuick (local.get $local10) (i32.const 4) (local.get $x11))
            (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
            (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
            (if
              (i32.or
                (i32.load offset=848 (i32.const 0 (;event;)))
                (i32.load offset=868 (i32.const 0 (;refetch;))))
              (then
                (local.set $remaining (i32.add (local.get $remaining) (i32.const 4)))
                (local.set $target (i64.add (local.get $page) (i64.const 4)))
                (br $block_2)))))
        (local.set $x12 (i64.add (local.get $x12) (i64.const 1)))
        (local.set $local10 (i64.add (local.get $x10) (i64.const 4)))
        (local.set $local11
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local10) (i64.const 7))) (i32.const 0x1ffe0))))
        (if
          (i64.eq
            (i64.load offset=8 (local.get $local11))
            (i64.or (i64.and (local.get $local10) (i64.const -4093)) (local.get $write_generation)))
          (then
            (i64.store32
              (i32.add (i32.wrap_i64 (local.get $local10)) (i32.load offset=24 (local.get $local11)))
              (local.get $x11)))
          (else
            (call $storeQuick (local.get $local10) (i32.const 4) (local.get $x11))
            (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
            (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
            (if
              (i32.or
                (i32.load offset=848 (i32.const 0 (;event;)))
                (i32.load offset=868 (i32.const 0 (;refetch;))))
              (then
                (local.set $remaining (i32.add (local.get $remaining) (i32.const 2)))
                (local.set $target (i64.add (local.get $page) (i64.const 12)))
                (br $block_2)))))
        (local.set $x13 (i64.add (local.get $x13) (i64.const 1)))
        (local.set $target (i64.add (local.get $page) (i64.const 20)))
        (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
        (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
        (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
        (br $block)
      )
    ) ;; $block_2
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
      (return (local.get $remaining))
    ) ;; $block
    (local.set $local11
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local10 (i64.and (local.get $target) (i64.const -4096)))
    (if
      (i64.eq
        (i64.load (local.get $local11))
        (i64.or (local.get $local10) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local14
          (i32.load offset=32816
            (i32.add
              (i32.load offset=8 (local.get $local11))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (i32.and (local.get $local14) (i32.const 32768))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local14) (i32.const 16))
              (local.get $local10)
              (i32.and (local.get $local14) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
    (unreachable)
  )
)
