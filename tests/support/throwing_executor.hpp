// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace wva_metrics::test_support {

/// Which functions an executor does not take. The copies of an executor share it.
struct ExecutorFaults {
    /// How many functions are still taken; negative for all.
    int taken = -1;
    /// How many are not taken then.
    int refused = 0;
    /// How many were not.
    int failures = 0;
};

/// An executor as of a user, which throws instead of taking a function.
class ThrowingExecutor {
public:
    ThrowingExecutor(boost::asio::any_io_executor inner, std::shared_ptr<ExecutorFaults> faults)
        : inner_(std::move(inner)), faults_(std::move(faults)) {}

    template <
        typename Property,
        std::enable_if_t<
            boost::asio::can_query<const boost::asio::any_io_executor&, Property>::value, int> = 0>
    decltype(auto) query(const Property& property) const {
        return boost::asio::query(inner_, property);
    }
    template <typename Property,
              std::enable_if_t<
                  boost::asio::can_require<const boost::asio::any_io_executor&, Property>::value,
                  int> = 0>
    ThrowingExecutor require(const Property& property) const {
        return ThrowingExecutor(boost::asio::require(inner_, property), faults_);
    }
    template <
        typename Property,
        std::enable_if_t<
            boost::asio::can_prefer<const boost::asio::any_io_executor&, Property>::value, int> = 0>
    ThrowingExecutor prefer(const Property& property) const {
        return ThrowingExecutor(boost::asio::prefer(inner_, property), faults_);
    }
    template <typename Function>
    void execute(Function&& function) const {
        if (faults_->taken == 0 && faults_->refused > 0) {
            --faults_->refused;
            ++faults_->failures;
            throw std::bad_alloc();
        }
        if (faults_->taken > 0)
            --faults_->taken;
        inner_.execute(std::forward<Function>(function));
    }
    friend bool operator==(const ThrowingExecutor& a, const ThrowingExecutor& b) noexcept {
        return a.inner_ == b.inner_ && a.faults_ == b.faults_;
    }
    friend bool operator!=(const ThrowingExecutor& a, const ThrowingExecutor& b) noexcept {
        return !(a == b);
    }

private:
    boost::asio::any_io_executor inner_;
    std::shared_ptr<ExecutorFaults> faults_;
};

} // namespace wva_metrics::test_support
