"""Statements of Python 2 do what they did."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Run = Callable[..., str]

#: A program and what it prints.
_PROGRAMS = {
    "code that is compiled": ("exec compile('print 7 / 2', 'x', 'exec')", "3\n"),
    "print, behind the end of a line": (
        r"""
        print 'a\n', 'b\t', 'c', 1
        print 'd\n',
        print 'e'
        """,
        "a\nb\tc 1\nd\ne\n",
    ),
    "print as a function": (
        r"""
        from __future__ import print_function
        print('a\n', 'b', end=' ')
        print()
        """,
        "a\n b \n",
    ),
    "the exception of a handler stays": (
        """
        try: 1 / 0
        except ZeroDivisionError, e: pass
        print e.__class__.__name__
        def f():
            try: [][0]
            except IndexError as e: x = 1
            return e
        print f()
        """,
        "ZeroDivisionError\nlist index out of range\n",
    ),
    "an exception taken apart": (
        """
        try: open('none')
        except IOError as (number, text): print number, text
        try: raise ValueError('a', 'b')
        except (TypeError, ValueError), (a, b):
            for x in a, b: print x
        """,
        "2 No such file or directory\na\nb\n",
    ),
    "an exception raised again": (
        """
        import sys
        class E(Exception):
            def __init__(self, a, b): self.b = b
        try:
            try: raise E, (1, 2)
            except E: raise sys.exc_info()[0], sys.exc_info()[1], sys.exc_info()[2]
        except E, e: print e.b, sys.exc_type.__name__
        try: raise KeyError, None
        except KeyError, e: print e.args
        """,
        "2 E\n()\n",
    ),
    "kinds have an order": (
        """
        import numpy
        x = None
        print x >= 0, 3 > x, 'a' > 5, (1,) > [1], [1] < 'a', 1 < 2, 2 <= 1
        print (numpy.zeros(2) > None).tolist(), numpy.float32(1) > x
        """,
        "False True True True True True False\n[True, True] True\n",
    ),
    "variables of list comprehensions stay": (
        """
        [q for q in (1, 2)]
        print q
        def f():
            [a for a, b in [(3, 4)] if a]
            return b
        print f()
        """,
        "2\n4\n",
    ),
    "parameters that are tuples": (
        """
        print (lambda (a, b), c: a + b + c)((1, 2), 3),
        print (lambda x, (y, (z, w)): w)(1, (2, (3, 4)))
        """,
        "6 4\n",
    ),
    "methods that are handed on": (
        """
        class Node(object):
            next = None
        print filter({1: 2}.has_key, [1, 3]), iter([4]).next(), map({1: 2}.get, [1])
        step = (i for i in xrange(3)).next
        print step(), step(), Node().next, sorted({1: 2}.iteritems())
        a = Node()
        a.next = Node()
        print a.next.next
        try: (1).next
        except AttributeError, e: print e
        """,
        "[1] 4 [2]\n0 1 None [(1, 2)]\nNone\n'int' object has no attribute 'next'\n",
    ),
    "numpy's small numbers beside Python's": (  # as Python 2.7.18 and numpy 1.16 printed it
        """
        import numpy as np
        im = np.array([[200, 100, 7]], np.uint8)
        total, sums = 0, [0]
        for value in im[0]:
            total += value
            sums[0] += value
        print total, sums, sum(im[0]), sum(v for v in im[0]), im[0, 0] + 100, im[0, 0] * 299 / 1000,
        print 255 - im[0, 0] * 2, im[0, 0] ** 2, (im[0, 1] + 100) / 3, np.float32(1) / 3
        print (im + 300).tolist(), (im - 1).dtype, im * 2, im[0, 0] + im[0, 1]
        print np.array([300, -1], np.uint8), np.float32(0.1) * 2 == 0.2
        """,
        "307 [307] 307 307 300 59 -145 40000 66 0.3333333333333333\n"
        "[[500, 400, 307]] uint8 [[144 200  14]] 44\n[ 44 255] False\n",
    ),
    "operators keep what they change": (
        """
        k = [1]
        j = k
        j += [2]
        j += (3,)
        class A(object):
            def __init__(self): self.s, self.__p = [1], 1
            def more(self):
                self.s += [2]
                self.__p += 2
                return self.__p
        a = A()
        import numpy as np
        x = np.arange(3)
        y = x
        y += 5
        y[1:] += 2
        print k, a.more(), a.s, x, 'a' + 'b', 7 % 3, 2 ** 3, [0] * 2 + [1], '%d' % 3
        def f():
            n = 0
            n += 3
            n -= 1
            return n * 2
        print f()
        """,
        "[1, 2, 3] 3 [1, 2] [5 8 9] ab 1 8 [0, 0, 1] 3\n4\n",
    ),
    "unicode of an object": (
        """
        class U(object):
            def __unicode__(self): return u'u'
            def __str__(self): return 's'
        print unicode(U()), U()
        """,
        "u s\n",
    ),
    "modules loaded by their path": (
        """
        open('m.py', 'w').write('x = 7 / 2')
        import imp
        print imp.load_source('n', 'm.py').x,
        print imp.load_module('o', *imp.find_module('m', ['.'])).x
        """,
        "3 3\n",
    ),
    "arrays of text": (
        """
        import array
        a = array.array('B', 'ab')
        a.fromstring('c')
        print a.tostring() == 'abc', isinstance(a, array.array)
        """,
        "True True\n",
    ),
    "what a seed gives": (  # as Python 2.7.18 printed it
        """
        import random
        random.seed(3)
        x = range(6)
        random.shuffle(x)
        print random.randint(1, 100), random.choice('abcdef'), random.sample(range(100), 3), x
        random.seed('abc')
        print random.randrange(10 ** 6), random.sample(xrange(10000), 8)
        print random.Random(7).sample(range(50), 2)
        """,
        "7 a [83, 25, 23] [0, 4, 3, 5, 2, 1]\n"
        "96393 [5713, 9010, 7061, 6446, 4998, 5024, 123, 68]\n[16, 7]\n",
    ),
    "str of bytes": (
        r"""
        from StringIO import StringIO
        data = str(bytearray([255, 216, 65]))
        print len(data), StringIO(str(data)).read() == '\xff\xd8A', map(str, [1, data])[1] == data
        x = buffer('abcd', 1, 2)
        print x, x[1],
        print type(str(bytearray('a'))) is str, bytes('a'), str(), str(1L), type(str(1)) == str
        """,
        "3 True True\nbc c True a  1 True\n",
    ),
    "digits of floats": (  # as Python 2.7.18 printed it
        """
        print 1 / 3., str(0.1 + 0.2), '%s' % 2e11, '%s,%s' % (100., 1e10),
        print repr(0.1 + 0.2), [0.1 + 0.2]
        print 123456789012., -1e11, 1e-5, 1e100, float('inf'), 12345678901.5
        """,
        "0.333333333333 0.3 2e+11,".replace(",", " ") + "100.0,10000000000.0 "
        "0.30000000000000004 [0.30000000000000004]\n"
        "1.23456789012e+11 -1e+11 1e-05 1e+100 inf 12345678901.5\n",
    ),
    "text through descriptors and sockets": (
        """
        import HTMLParser, commands, os, socket
        a, b = socket.socketpair()
        a.send('hello')
        print b.recv(5).split('l'), HTMLParser.HTMLParser().unescape('&lt;'),
        fd = os.open('x', os.O_RDWR | os.O_CREAT)
        os.write(fd, 'ab')
        print open('x').read(), commands.getstatusoutput('exit 3')[0]
        """,
        "['he', '', 'o'] < ab 768\n",
    ),
    "rot13": ("print 'uryyb'.encode('rot13'), 'uryyb'.decode('rot13')", "hello hello\n"),
    "popen2": (
        """
        import os
        into, out = os.popen2('cat')
        into.write('x')
        into.close()
        print out.read().split('x')
        """,
        "['', '']\n",
    ),
}


@pytest.mark.parametrize("name", list(_PROGRAMS))
def test_statements(python2: Run, name: str) -> None:
    text, printed = _PROGRAMS[name]
    assert python2(text) == printed
