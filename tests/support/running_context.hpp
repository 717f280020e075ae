// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

namespace wva_metrics::test_support {

/// An io_context that runs on a thread of its own until the destructor stops it.
class RunningContext {
public:
    RunningContext() : thread_([this] { context_.run(); }) {}
    RunningContext(const RunningContext&) = delete;
    RunningContext& operator=(const RunningContext&) = delete;
    ~RunningContext() {
        context_.stop();
        thread_.join();
    }

    boost::asio::io_context& context() noexcept { return context_; }

private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    std::thread thread_;
};

} // namespace wva_metrics::test_support
