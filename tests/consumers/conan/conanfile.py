# SPDX-License-Identifier: MIT
"""What `conan create` does with the package: builds and runs the consumers' program, every component linked."""

import os

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout


class Consumer(ConanFile):
    settings = "os", "arch", "compiler", "build_type"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        icpi = self.dependencies["icpi"]
        components = [name for name in ("http", "process", "store", "postgres") if icpi.options.get_safe(name)]
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["COMPONENTS"] = "+".join(["icpi", *components])
        toolchain.cache_variables["EXPECTED_VERSION"] = str(icpi.ref.version)
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self):
        if can_run(self):
            self.run(os.path.join(self.cpp.build.bindir, "consumer"), env="conanrun")
