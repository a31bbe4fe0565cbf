using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>
/// The users and groups of the host, as the sources in nsswitch.conf(5) tell them: getpwnam_r(3), getgrnam_r(3). Any of these sources
/// may answer slowly, or never.
/// </summary>
public static unsafe class UserDatabase
{
    /// <summary>(uid_t)-1: not an id; to calls that set one it means "leave unchanged" (setresuid(2), chown(2)).</summary>
    private const uint NoId = uint.MaxValue;

    /// <summary>The largest entry of the user or group database in bytes: a group can have many members.</summary>
    private const int MaxEntry = 4 * 1024 * 1024;

    /// <summary>A user by name or number; null if there is none. A number without an entry is valid.</summary>
    public static (uint Uid, uint Gid, string Name, string Home, string Shell, bool HasEntry)? FindUser(string nameOrNumber)
    {
        var isNumber = TryParseId(nameOrNumber, out var uid);
        if (isNumber && uid == NoId)
        {
            return null;
        }

        for (var size = 4096; ; size *= 4)
        {
            Syscalls.Passwd entry;
            Syscalls.Passwd* result = null;
            int error;
            fixed (byte* name = Encoding.UTF8.GetBytes(nameOrNumber + "\0"))
            fixed (byte* buffer = new byte[size])
            {
                error = isNumber
                    ? Syscalls.getpwuid_r(uid, &entry, buffer, (nuint)size, &result)
                    : Syscalls.getpwnam_r(name, &entry, buffer, (nuint)size, &result);
                if (result is not null)
                {
                    return (result->Uid, result->Gid, String(result->Name), String(result->Directory), String(result->Shell), true);
                }
            }

            if (error != ERANGE || size > MaxEntry)
            {
                return isNumber ? (uid, uid, nameOrNumber, "/", "/bin/sh", false) : null;
            }
        }
    }

    /// <summary>A group by name or number; null if there is none. A number without an entry is valid.</summary>
    public static uint? FindGroup(string nameOrNumber)
    {
        if (TryParseId(nameOrNumber, out var gid))
        {
            return gid == NoId ? null : gid;
        }

        return ReadGroup(nameOrNumber, 0)?.Gid;
    }

    /// <summary>The name of the group with that number; null if there is none.</summary>
    public static string? GroupName(uint gid) => ReadGroup(null, gid)?.Name;

    private static (uint Gid, string Name)? ReadGroup(string? name, uint gid)
    {
        for (var size = 4096; ; size *= 4)
        {
            Syscalls.Group entry;
            Syscalls.Group* result = null;
            int error;
            fixed (byte* bytes = Encoding.UTF8.GetBytes(name + "\0"))
            fixed (byte* buffer = new byte[size])
            {
                error = name is null
                    ? Syscalls.getgrgid_r(gid, &entry, buffer, (nuint)size, &result)
                    : Syscalls.getgrnam_r(bytes, &entry, buffer, (nuint)size, &result);
                if (result is not null)
                {
                    return (result->Gid, String(result->Name));
                }
            }

            if (error != ERANGE || size > MaxEntry)
            {
                return null;
            }
        }
    }

    /// <summary>getgrouplist(3): the groups that name a user as a member. The primary group need not be one.</summary>
    public static uint[] MembershipsOf(string user)
    {
        var count = 64;
        while (true)
        {
            var groups = new uint[count];
            fixed (uint* list = groups)
            fixed (byte* name = Encoding.UTF8.GetBytes(user + "\0"))
            {
                var got = count;
                if (Syscalls.getgrouplist(name, NoId, list, &got) >= 0)
                {
                    return [.. groups.Take(got).Where(group => group != NoId)];
                }

                count = Math.Max(got, count * 2);
            }
        }
    }

    private static bool TryParseId(string text, out uint id) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);

    private static string String(byte* text) =>
        text is null ? "" : ByteText.Decode(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
}
