"""What this project costs beside what people would use instead, measured side by side: `python -m benchmarks`.

The modules, in the order of their imports; each uses only those above it:

    spread       figures of many rounds -> median, quartiles, ratio, verdict
    answers      names of answers -> the bytes of them
    photograph   the one picture that can be decoded
    endpoint     the loopback server, a process of its own
    subjects     what is measured, each in a process of its own
    rows         what a row of the comparison is made of
    comparison   every row, as data
    peers        the environments of those that we are compared with
    workers      the processes of the subjects, asked one at a time
    rounds       the rows, measured in turns
    report       figures -> what was found
    tables       what was found, for a terminal and as Markdown
    plot         what was found, drawn in the environment of a peer
    machine      on what it was measured
"""
