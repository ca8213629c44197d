/* parts.h: files and pipes that give and take a part at a time. The target wraps file_read and
 * file_write. */
#ifndef PARTS_H
#define PARTS_H

#include <stddef.h>

/* No read or write takes more bytes from here on; 0: as many as there are. */
void parts_limit(size_t most);

#endif
