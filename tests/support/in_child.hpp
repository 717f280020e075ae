// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wva_metrics::test_support {

/// Runs `work` in a forked process, and returns the int that it returned, or -1 if the process did
/// not end by itself. The child runs no destructors of static objects.
template <typename Work>
int in_child(const Work& work) {
    const pid_t child = fork();
    if (child == 0)
        _exit(work());
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

} // namespace wva_metrics::test_support
