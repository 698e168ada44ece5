/* The weights as a part of the program. */
#ifdef __APPLE__
#error "on this system keep the weights in their file"
#endif
    .section .rodata
    .balign 64
    .globl example_net_linked
    .type example_net_linked, @object
example_net_linked:
    .incbin "example_net.weights"
    .globl example_net_linked_end
example_net_linked_end:
    .size example_net_linked, example_net_linked_end - example_net_linked
    .section .note.GNU-stack, "", %progbits
