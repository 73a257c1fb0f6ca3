// SPDX-License-Identifier: MIT
struct Plugin;
extern "C" Plugin the_plugin();
int check(Plugin (*plugin)());

int main() { return check(&the_plugin); }
