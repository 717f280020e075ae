// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/scripted_server.hpp"

#include <boost/asio/io_context.hpp>

#include <string>
#include <thread>
#include <utility>

namespace wva_metrics::test_support {

/// A scripted server on a thread of its own, so that its memory is not counted with that of the
/// test.
class AnsweringThread {
public:
    explicit AnsweringThread(ScriptedServer::Script script)
        : server_(context_, {std::move(script)}), thread_([this] { context_.run(); }) {}
    ~AnsweringThread() {
        context_.stop();
        thread_.join();
    }
    AnsweringThread(const AnsweringThread&) = delete;
    AnsweringThread& operator=(const AnsweringThread&) = delete;

    std::string url() const { return server_.url(); }

private:
    asio::io_context context_;
    ScriptedServer server_;
    std::thread thread_;
};

} // namespace wva_metrics::test_support
