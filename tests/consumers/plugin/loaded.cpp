// SPDX-License-Identifier: MIT
#include <dlfcn.h>

#include <cstdio>

struct Plugin;
int check(Plugin (*plugin)());

int main() {
  void* const library = dlopen(PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL);
  void* const plugin = library == nullptr ? nullptr : dlsym(library, "the_plugin");
  if (plugin == nullptr) {
    std::printf("%s\n", dlerror());
    return 1;
  }
  return check(reinterpret_cast<Plugin (*)()>(plugin));
}
