# SPDX-License-Identifier: Apache-2.0
#
# conan_recipe.py <folder of the recipe> <version> <work folder>
# Checks the recipe without Conan: runs its methods with replacements for Conan's classes and functions.
import fnmatch
import os
import py_compile
import runpy
import shutil
import sys
import types
from pathlib import Path

folder, version, work = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
print("*** NOT CHECKED: Conan itself is not used. This test checks the effect of the recipe's methods on the tree, but not ***")
print("*** that the packages it requires exist, nor that Conan accepts the recipe.                                         ***")


class Settings(dict):
    def __getattr__(self, name):
        return self[name]

    def get_safe(self, name):
        return self.get(name)


class Component:
    def __init__(self):
        self.properties, self.requires, self.defines, self.system_libs = {}, [], [], []

    def set_property(self, name, value):
        self.properties[name] = value


class CppInfo(Component):
    def __init__(self):
        super().__init__()
        self.components = Components()


class Components(dict):
    def __missing__(self, name):
        self[name] = Component()
        return self[name]


def copy(recipe, pattern, src, dst):
    copied = 0
    for path in Path(src).rglob("*"):
        name = path.relative_to(src).as_posix()
        if path.is_file() and fnmatch.fnmatch(name, pattern):
            os.makedirs((Path(dst) / name).parent, exist_ok=True)
            shutil.copy(path, Path(dst) / name)
            copied += 1
    assert copied, f"no file matches {pattern} in {src}"


def stand_in(name, **members):
    sys.modules[name] = types.ModuleType(name)
    for member, value in members.items():
        setattr(sys.modules[name], member, value)


standards = []
stand_in("conan", ConanFile=object)
stand_in("conan.tools")
stand_in("conan.tools.build", check_min_cppstd=lambda recipe, least: standards.append(least), can_run=lambda recipe: True)
stand_in("conan.tools.files", copy=copy)
stand_in("conan.tools.layout", basic_layout=lambda recipe: None)
stand_in("conan.tools.cmake", CMake=object, cmake_layout=lambda recipe: None)

shutil.rmtree(work, ignore_errors=True)
os.makedirs(work)
for script in ("conanfile.py", "test_package/conanfile.py"):
    py_compile.compile(str(folder / script), cfile=str(work / "compiled"), doraise=True)
runpy.run_path(str(folder / "test_package" / "conanfile.py"))
recipe_class = runpy.run_path(str(folder / "conanfile.py"))["WvaMetricsConan"]
assert (recipe_class.name, recipe_class.version) == ("wva_metrics", version), f"the recipe's version is not {version}"

for tls, gzip in ((True, True), (False, False)):
    recipe = recipe_class()
    recipe.recipe_folder = str(folder)
    recipe.export_sources_folder = recipe.source_folder = str(work / "source")
    recipe.package_folder = str(work / "package")
    recipe.settings = Settings(os="Linux", **{"compiler.cppstd": "20"})
    assert set(recipe.options) == set(recipe.default_options) == {"with_tls", "with_gzip"}
    recipe.options = types.SimpleNamespace(with_tls=tls, with_gzip=gzip)
    recipe.cpp_info = CppInfo()
    recipe.info = {"anything": "that would make packages differ"}
    required = []
    recipe.requires = required.append
    for method in ("export_sources", "layout", "requirements", "validate", "package", "package_id", "package_info"):
        getattr(recipe, method)()

    assert recipe.info == {}, "one package must fit all settings"
    components = recipe.cpp_info.components
    expected = {"wva_metrics", "plugin"} | ({"tls"} if tls else set()) | ({"gzip"} if gzip else set())
    assert set(components) == expected, set(components)
    packages = {reference.split("/")[0] for reference in required}
    for name, component in components.items():
        assert component.properties["cmake_target_name"] == "wva_metrics::" + name
        assert component.bindirs == component.libdirs == []
        for needed in component.requires:
            package, _, part = needed.partition("::")
            assert (package in packages) if part else (package in components), f"{name} needs {needed}, which is not required"
assert standards and set(standards) == {20}
for path in ("include/wva_metrics/wva_metrics.hpp", "include/wva_metrics/http/tls.hpp", "licenses/LICENSE"):
    assert (work / "package" / path).is_file(), f"the package lacks {path}"
print("The recipe's methods work.")
