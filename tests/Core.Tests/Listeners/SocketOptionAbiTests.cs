using System.Diagnostics;
using System.Globalization;
using System.Text;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Tests.Listeners;

/// <summary>
/// The catalogue's numbers against the installed headers: a generated C program of static asserts. The C library's and the
/// kernel's headers clash, so each has a program of its own.
/// </summary>
public class SocketOptionAbiTests
{
    [Theory]
    [InlineData("sys/socket.h", "netinet/in.h", "netinet/tcp.h")]
    [InlineData("asm/socket.h", "linux/in.h", "linux/in6.h", "linux/tcp.h", "linux/udp.h", "linux/netlink.h", "linux/vm_sockets.h")]
    public void Option_numbers_match_the_headers(params string[] headers)
    {
        var program = new StringBuilder("#define _GNU_SOURCE\n");
        foreach (var header in headers)
        {
            program.AppendLine(CultureInfo.InvariantCulture, $"#include <{header}>");
        }

        // Linux 6.5: headers of Debian 12 do not have it.
        EqualIfKnown(SocketOptions.PassPidfd.Name, SocketOptions.PassPidfd.Number);
        foreach (var option in SocketOptions.All.Where(option => option != SocketOptions.PassPidfd))
        {
            Equal(option.LevelName, option.Level);
            Equal(option.Name, option.Number);
            Equal(option.Name.Replace("BUFFORCE", "BUF", StringComparison.Ordinal), option.ReadNumber);
        }

        foreach (var level in OptionNames.Levels)
        {
            EqualIfKnown(level.Name, level.Number);
            foreach (var (name, number) in level.Options)
            {
                EqualIfKnown(name, number);
            }
        }

        Compiles(program.ToString());

        void EqualIfKnown(string name, int number)
        {
            program.AppendLine(CultureInfo.InvariantCulture, $"#ifdef {name}");
            Equal(name, number);
            program.AppendLine("#endif");
        }

        void Equal(string name, int number) =>
            program.AppendLine(CultureInfo.InvariantCulture, $"_Static_assert({name} == {number}, \"{name} is not {number}\");");
    }

    private static void Compiles(string program)
    {
        using var compiler = Process.Start(new ProcessStartInfo("cc", ["-std=gnu11", "-fsyntax-only", "-x", "c", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        var messages = compiler.StandardError.ReadToEndAsync();
        compiler.StandardInput.Write(program);
        compiler.StandardInput.Close();
        compiler.WaitForExit();
        Assert.True(compiler.ExitCode == 0, messages.Result);
    }
}
