"""Old forms of nets and solvers -> the current one."""


def upgrade_net(message):  # type: ignore[no-untyped-def]
    return message, []
