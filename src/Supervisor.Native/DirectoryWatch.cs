using System.Text;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>Announces removals in a directory: inotify(7).</summary>
public static unsafe class DirectoryWatch
{
    /// <summary>IN_DELETE, IN_DELETE_SELF and IN_MOVE_SELF, linux/inotify.h. Files that are renamed over others do not count.</summary>
    private const uint Removals = 0x200 | 0x400 | 0x800;

    /// <summary>A descriptor that becomes readable when a file of the directory, or the directory itself, is removed.</summary>
    public static DescriptorHandle? Open(string directory, out SystemCallError error)
    {
        var events = Syscalls.inotify_init1(O_NONBLOCK | O_CLOEXEC);
        if (events < 0)
        {
            error = SystemCallError.Last("inotify_init1");
            return null;
        }

        var handle = new DescriptorHandle(events);
        fixed (byte* path = Encoding.UTF8.GetBytes(directory + "\0"))
        {
            if (Syscalls.inotify_add_watch(events, path, Removals) >= 0)
            {
                error = default;
                return handle;
            }
        }

        error = SystemCallError.Last("inotify_add_watch");
        handle.Dispose();
        return null;
    }
}
