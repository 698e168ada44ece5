"""What others wrote and exported programs need, unmodified, each under its own licence.

``stb_image.h``: pictures from files, version 2.30 by Sean Barrett and others, from
https://github.com/nothings/stb at 31c1ad37456438565541f4919958214b6e762fb4. MIT or public domain,
as LICENSE (of that commit) and the end of the file say.
"""
