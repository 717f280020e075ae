// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wva_metrics::test_support {

/// The content of a file, or an empty string if there is none.
inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The end of a program's output, for error messages.
inline std::string tail_of(const std::filesystem::path& log) {
    const std::string text = read_file(log);
    return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

/// A program that runs until it ends by itself or the destructor ends it. It also dies with the
/// thread that started it, so that a crashed test leaves nothing behind.
///
/// Not thread-safe.
class ChildProcess {
public:
    /// The files for standard output and standard error. If both are the same file, it has both in
    /// order.
    struct Output {
        std::filesystem::path standard;
        std::filesystem::path error;
    };

    /// `words`: the path of the program and its arguments. Throws std::runtime_error.
    ChildProcess(std::vector<std::string> words, const Output& output) {
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const std::string standard = output.standard.string();
        const std::string error = output.error.string();

        const pid_t parent = ::getpid();
        const pid_t child = ::fork();
        if (child < 0)
            throw std::runtime_error("fork failed");
        if (child == 0) {
            // Only async-signal-safe calls between fork and exec: other threads may hold locks.
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent)
                ::_exit(126);
            redirect(standard, 1);
            if (standard == error)
                ::dup2(1, 2);
            else
                redirect(error, 2);
            ::execv(arguments[0], arguments.data());
            ::_exit(127);
        }
        pid_ = child;
        handle_ = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    }

    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess() { stop(std::chrono::seconds(30)); }

    pid_t pid() const noexcept { return pid_; }

    /// Sends SIGTERM, and SIGKILL after `patience`; waits until the program has ended.
    int stop(std::chrono::milliseconds patience) noexcept {
        if (!status_) {
            ::kill(pid_, SIGTERM);
            if (!ended_within(patience))
                ::kill(pid_, SIGKILL);
        }
        return wait();
    }

    /// Kills the program at once, as a crash does.
    void kill_hard() noexcept {
        if (!status_)
            ::kill(pid_, SIGKILL);
        wait();
    }

    bool ended_within(std::chrono::milliseconds patience) const noexcept {
        if (status_)
            return true;
        pollfd ended{handle_, POLLIN, 0};
        int changed = 0;
        do {
            changed = ::poll(&ended, 1, static_cast<int>(patience.count()));
        } while (changed < 0 && errno == EINTR);
        return changed > 0;
    }

    /// Waits for the end. Returns the exit status, or 128 plus the number of the signal that ended
    /// it, as a shell does.
    int wait() noexcept {
        if (!status_) {
            int status = 0;
            while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
            }
            ::close(handle_);
            status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        return *status_;
    }

private:
    static void redirect(const std::string& file, int descriptor) noexcept {
        const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (opened >= 0)
            ::dup2(opened, descriptor);
    }

    pid_t pid_ = -1;
    int handle_ = -1;
    std::optional<int> status_;
};

} // namespace wva_metrics::test_support
