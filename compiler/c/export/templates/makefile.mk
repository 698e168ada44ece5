# make          builds ./net, which runs the net on arrays in .npy files, and libexample_net.a
# make single   builds ./net_single, which has the weights inside
# make clean    removes what was built
#
# CC is gcc or clang. example_net.c was printed for @instructions@: ARCH has to allow that.
# ARCH=-march=native lets the compiler use what else this machine has.
#
# Change this file as you like: the next export replaces it only as long as nobody did
# (seal 0000000000000000).

ARCH = @arch@
CFLAGS = -O3 -Wall -Wextra
LDFLAGS =

# Numbers keep their IEEE meaning; a product and a sum may round once.
NUMBERS = -ffp-contract=fast -fno-math-errno -fno-trapping-math -fwrapv
COMPILE = $(CC) -std=c11 $(CFLAGS) $(NUMBERS) -pthread

net: main.o @picture_objects@libexample_net.a
	$(COMPILE) $(LDFLAGS) -o $@ main.o @picture_objects@libexample_net.a -lm

libexample_net.a: example_net.o
	rm -f $@
	$(AR) rcs $@ example_net.o

example_net.o: example_net.c example_net.h
	$(COMPILE) $(ARCH) -c -o $@ example_net.c

main.o: main.c example_net.h@picture_header@
	$(COMPILE) -c -o $@ main.c

@if pictures@
# Pictures become what they become in Python, to the last bit.
pictures.o: pictures.c pictures.h stb_image.h
	$(COMPILE) -ffp-contract=off -c -o $@ pictures.c

example_net_pictures.o: example_net_pictures.c pictures.h
	$(COMPILE) -c -o $@ example_net_pictures.c

@end@
SINGLE = main_single.o @picture_objects@example_net_single.o example_net_weights.o

single: net_single

net_single: $(SINGLE)
	$(COMPILE) $(LDFLAGS) -o $@ $(SINGLE) -lm

example_net_single.o: example_net.c example_net.h
	$(COMPILE) $(ARCH) -DEXAMPLE_NET_LINKED -c -o $@ example_net.c

main_single.o: main.c example_net.h@picture_header@
	$(COMPILE) -DEXAMPLE_NET_LINKED -c -o $@ main.c

example_net_weights.o: example_net_weights.S example_net.weights
	$(CC) -c -o $@ example_net_weights.S

clean:
	rm -f net net_single libexample_net.a main.o @picture_objects@example_net.o $(SINGLE)

.PHONY: single clean
