// SPDX-License-Identifier: Apache-2.0
#pragma once

/// For authors of plugins. A plugin is a shared object with a backend; a program loads it by its
/// path (`wva_metrics/settings/plugin/load_plugin.hpp`).

#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/version.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/config.hpp>
#include <boost/version.hpp>

#include <cstdint>
#include <version>

#if defined(_LIBCPP_VERSION)
#define WVA_METRICS_DETAIL_STANDARD_LIBRARY "libc++ ABI " BOOST_STRINGIZE(_LIBCPP_ABI_VERSION)
#elif defined(_GLIBCXX_DEBUG)
#define WVA_METRICS_DETAIL_STANDARD_LIBRARY                                                        \
    "libstdc++ in debug mode, string ABI " BOOST_STRINGIZE(_GLIBCXX_USE_CXX11_ABI)
#elif defined(_GLIBCXX_USE_CXX11_ABI)
#define WVA_METRICS_DETAIL_STANDARD_LIBRARY                                                        \
    "libstdc++ string ABI " BOOST_STRINGIZE(_GLIBCXX_USE_CXX11_ABI)
#else
#define WVA_METRICS_DETAIL_STANDARD_LIBRARY "another standard library"
#endif
#if defined(__clang__)
#define WVA_METRICS_DETAIL_COMPILER "Clang C++ ABI " BOOST_STRINGIZE(__GXX_ABI_VERSION)
#elif defined(__GNUC__)
#define WVA_METRICS_DETAIL_COMPILER "GCC C++ ABI " BOOST_STRINGIZE(__GXX_ABI_VERSION)
#else
#define WVA_METRICS_DETAIL_COMPILER "another compiler"
#endif

namespace wva_metrics {

/// The versions and ABIs that a plugin and the program that loads it must share, because they
/// exchange classes of this library, of Boost and of the standard library. Compared as a whole.
inline constexpr char plugin_abi[] =
    "wva_metrics " WVA_METRICS_VERSION_STRING ", Boost " BOOST_LIB_VERSION
    ", " WVA_METRICS_DETAIL_STANDARD_LIBRARY ", " WVA_METRICS_DETAIL_COMPILER;

/// The symbol `wva_metrics_plugin` that a plugin exports. `WVA_METRICS_EXPORT_BACKEND` defines it.
struct PluginDescriptor {
    /// `plugin_abi` of the plugin. It is the first member in every version, because the rest may be
    /// read only if it is equal.
    const char* abi;
    /// Name of the backend in the factory and in `CollectorSettings::backend`.
    const char* backend;
    /// Makes a backend from the settings of the collector. May throw.
    Result<AnyBackend> (*make_backend)(const asio::any_io_executor& executor,
                                       const CollectorSettings& settings);
};

} // namespace wva_metrics

/// Defines the exported symbol of a plugin. Use it once, in the global namespace. `name` is a
/// string literal, `function` a function for `PluginDescriptor::make_backend`.
#define WVA_METRICS_EXPORT_BACKEND(name, function)                                                 \
    extern "C" BOOST_SYMBOL_EXPORT const ::wva_metrics::PluginDescriptor wva_metrics_plugin;       \
    const ::wva_metrics::PluginDescriptor wva_metrics_plugin {                                     \
        ::wva_metrics::plugin_abi, name, function                                                  \
    }
