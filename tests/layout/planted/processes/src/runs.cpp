#include <cstdlib>
// Whatever text it is.
void run(const char* text) { std::system(text); }
