// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../support/measurement.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

/// A server that gives the same answer to each request. It is a process of its own, so that its CPU
/// time is not counted as the client's and it is never the bottleneck. The destructor ends it; it
/// also dies with the thread that started it.
class StubServer {
public:
    /// Forks, so it must be constructed before there is a second thread.
    explicit StubServer(std::string_view answer) {
        const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        require(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                    ::listen(listener, 64) == 0 &&
                    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0,
                "the stub server cannot listen");
        port_ = ntohs(address.sin_port);
        void* const shared = ::mmap(nullptr, sizeof *requests_, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        require(shared != MAP_FAILED, "the stub server cannot count");
        requests_ = new (shared) std::atomic<std::uint64_t>(0);
        const pid_t parent = ::getpid();
        pid_ = ::fork();
        require(pid_ >= 0, "fork failed");
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() == parent)
                serve(listener, answer, *requests_);
            ::_exit(1);
        }
        ::close(listener);
    }
    StubServer(const StubServer&) = delete;
    StubServer& operator=(const StubServer&) = delete;
    ~StubServer() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        ::munmap(requests_, sizeof *requests_);
    }

    std::uint16_t port() const noexcept { return port_; }
    /// The requests that were answered so far.
    std::uint64_t requests() const noexcept { return *requests_; }

private:
    /// The clients send one request at a time, and each fits into one segment. So each read that
    /// returns data has read one request.
    static void serve(int listener, std::string_view answer, std::atomic<std::uint64_t>& requests) {
        const int poller = ::epoll_create1(0);
        const auto watch = [poller](int descriptor) {
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.fd = descriptor;
            ::epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
        };
        watch(listener);
        std::array<epoll_event, 64> events{};
        std::array<char, 8192> request{};
        for (;;) {
            const int count = ::epoll_wait(poller, events.data(), events.size(), -1);
            for (int i = 0; i < count; ++i) {
                const int descriptor = events.at(static_cast<std::size_t>(i)).data.fd;
                if (descriptor == listener) {
                    const int accepted = ::accept(listener, nullptr, nullptr);
                    const int on = 1;
                    ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    watch(accepted);
                } else if (::recv(descriptor, request.data(), request.size(), 0) <= 0 ||
                           ::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL) <= 0) {
                    ::close(descriptor);
                } else {
                    ++requests;
                }
            }
        }
    }

    /// In memory that both processes have.
    std::atomic<std::uint64_t>* requests_ = nullptr;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
};

} // namespace bench
