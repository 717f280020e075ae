// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/detail/saturating_add.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using wva_metrics::detail::saturating_add;
using wva_metrics::detail::saturating_age;

TEST_CASE("a time that the clock cannot count is the last or the first one") {
    using Time = std::chrono::steady_clock::time_point;
    using Length = std::chrono::steady_clock::duration;
    constexpr Time noon{std::chrono::hours(12)};
    constexpr Time before{-std::chrono::hours(12)};
    constexpr Length second = std::chrono::seconds(1);

    STATIC_CHECK(saturating_add(noon, second) == noon + second);
    STATIC_CHECK(saturating_add(noon, -second) == noon - second);
    STATIC_CHECK(saturating_add(noon, Length::max()) == Time::max());
    STATIC_CHECK(saturating_add(before, Length::min()) == Time::min());
    STATIC_CHECK(saturating_add(before, Length::max()) == before + Length::max());
    STATIC_CHECK(saturating_add(noon, Length::min()) == noon + Length::min());
    STATIC_CHECK(saturating_add(Time{}, Length::max()) == Time::max());
    STATIC_CHECK(saturating_add(Time{}, Length::min()) == Time::min());
    STATIC_CHECK(saturating_add(Time::max(), Length(0)) == Time::max());
    STATIC_CHECK(saturating_add(Time::max(), Length(1)) == Time::max());
    STATIC_CHECK(saturating_add(Time::max() - Length(1), Length(1)) == Time::max());
    STATIC_CHECK(saturating_add(Time::max() - Length(2), Length(1)) == Time::max() - Length(1));
    STATIC_CHECK(saturating_add(Time::max(), -Length(1)) == Time::max() - Length(1));
    STATIC_CHECK(saturating_add(Time::min(), Length(0)) == Time::min());
    STATIC_CHECK(saturating_add(Time::min(), -Length(1)) == Time::min());
    STATIC_CHECK(saturating_add(Time::min(), Length::max()) == Time(Length(-1)));
}

TEST_CASE("an age is never negative, and the longest one if the clock cannot count it") {
    using Time = std::chrono::steady_clock::time_point;
    using Length = std::chrono::steady_clock::duration;
    constexpr Time noon{std::chrono::hours(12)};
    constexpr Length second = std::chrono::seconds(1);

    STATIC_CHECK(saturating_age(noon - second, noon) == second);
    STATIC_CHECK(saturating_age(noon, noon) == Length(0));
    STATIC_CHECK(saturating_age(noon + second, noon) == Length(0));
    STATIC_CHECK(saturating_age(Time::max(), noon) == Length(0));
    STATIC_CHECK(saturating_age(Time::max(), Time::min()) == Length(0));
    STATIC_CHECK(saturating_age(Time::min(), noon) == Length::max());
    STATIC_CHECK(saturating_age(Time::min(), Time::min()) == Length(0));
    STATIC_CHECK(saturating_age(Time::min(), Time::max()) == Length::max());
    STATIC_CHECK(saturating_age(Time::min(), Time(Length(-2))) == Length::max() - Length(1));
    STATIC_CHECK(saturating_age(Time::min(), Time(Length(-1))) == Length::max());
    STATIC_CHECK(saturating_age(Time(Length(1)), Time::max()) == Length::max() - Length(1));
}
