namespace Supervisor.Native;

/// <summary>The error numbers that the code compares with or reports itself, by their C names (asm-generic/errno-base.h, errno.h).</summary>
public static class Errno
{
    /// <summary>No such file or directory.</summary>
    public const int ENOENT = 2;

    /// <summary>Try again: the call would block.</summary>
    public const int EAGAIN = 11;

    /// <summary>Permission denied.</summary>
    public const int EACCES = 13;

    /// <summary>No such device.</summary>
    public const int ENODEV = 19;

    /// <summary>Not a directory.</summary>
    public const int ENOTDIR = 20;

    /// <summary>Invalid argument.</summary>
    public const int EINVAL = 22;

    /// <summary>Too many open files in this process.</summary>
    public const int EMFILE = 24;

    /// <summary>File name too long.</summary>
    public const int ENAMETOOLONG = 36;

    /// <summary>Wrong protocol type for the socket.</summary>
    public const int EPROTOTYPE = 91;

    /// <summary>Address family not supported.</summary>
    public const int EAFNOSUPPORT = 97;

    /// <summary>Address already in use.</summary>
    public const int EADDRINUSE = 98;

    /// <summary>Address not available on this host.</summary>
    public const int EADDRNOTAVAIL = 99;

    /// <summary>Connection timed out.</summary>
    public const int ETIMEDOUT = 110;

    /// <summary>Connection refused.</summary>
    public const int ECONNREFUSED = 111;

    /// <summary>The file is another one by now.</summary>
    public const int ESTALE = 116;
}
