using System.Runtime.InteropServices;
using System.Text;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>Announces changes of any number of files by one descriptor: inotify(7).</summary>
public sealed unsafe class FileChanges : IDisposable
{
    /// <summary>IN_MODIFY, linux/inotify.h. The kernel sends it also for files that it changes itself (kernfs_notify()).</summary>
    private const uint Modified = 0x2;

    /// <summary>struct inotify_event without a name; a watch of a file has no names.</summary>
    private const int EventSize = 16;

    /// <summary>How many events are read at once; identical ones that were not read are one.</summary>
    private const int MostAtOnce = 64;

    private FileChanges(DescriptorHandle descriptor) => Descriptor = descriptor;

    /// <summary>Readable when a file has changed.</summary>
    public DescriptorHandle Descriptor { get; }

    /// <summary>Without files; null with the error, such as EMFILE (fs.inotify.max_user_instances).</summary>
    public static FileChanges? Open(out SystemCallError error)
    {
        var events = Syscalls.inotify_init1(O_NONBLOCK | O_CLOEXEC);
        error = events < 0 ? SystemCallError.Last("inotify_init1") : default;
        return events < 0 ? null : new FileChanges(new DescriptorHandle(events));
    }

    /// <summary>Begins to watch a file. Returns its number, or -1 with the error.</summary>
    public int Add(string path, out SystemCallError error)
    {
        fixed (byte* bytes = Encoding.UTF8.GetBytes(path + "\0"))
        {
            var number = Syscalls.inotify_add_watch(Descriptor.Number, bytes, Modified);
            error = number < 0 ? SystemCallError.Last("inotify_add_watch") : default;
            return number;
        }
    }

    /// <summary>Ends a watch; without effect if the file no longer exists.</summary>
    public void Remove(int number) => _ = Syscalls.inotify_rm_watch(Descriptor.Number, number);

    /// <summary>The numbers of the files that have changed since the last call.</summary>
    public IReadOnlySet<int> Take()
    {
        var changed = new HashSet<int>();
        Span<byte> events = stackalloc byte[EventSize * MostAtOnce];
        int length;
        while ((length = Files.Read(Descriptor, events, out _)) > 0)
        {
            for (var at = 0; at + EventSize <= length;)
            {
                changed.Add(MemoryMarshal.Read<int>(events[at..]));
                at += EventSize + MemoryMarshal.Read<int>(events[(at + 12)..]);
            }
        }

        return changed;
    }

    /// <inheritdoc/>
    public void Dispose() => Descriptor.Dispose();
}
