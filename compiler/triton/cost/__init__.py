"""How long kernels take on a GPU, predicted from their nodes and the target: nothing is compiled.

A launch is some rounds of programs, as many of them at a time as the processors hold. A round takes

    start + max(programs on a processor x busy, busy of one + waits) + epilogues

where a program keeps its processor *busy* with whatever takes longest: its matrix units, issuing
instructions, or its accesses to the caches; and *waits* for memory where it is alone. Beside that
runs the memory of the device. Constants were fitted once, to what an H200 took
(``tests/data/measured``); other devices have their own rates from NVIDIA's specifications.
"""
