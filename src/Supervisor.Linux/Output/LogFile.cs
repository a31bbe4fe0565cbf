using System.Text;
using Serilog;
using Supervisor.Native;

namespace Supervisor.Linux.Output;

/// <summary>
/// <c>log = "file:PATH"</c>: lines as the worker wrote them, without their priority prefix, appended (O_APPEND, mode 0640), so that a rotation by copy and
/// truncation works by itself. One by rename is noticed when something is written: the path's device and inode are
/// compared with the open file's, at most once a second. What cannot be written (a full disk) is dropped, which is said
/// once, and once more when it works again.
/// </summary>
public sealed class LogFile : IOutputSink
{
    /// <summary>Owner reads and writes, group reads.</summary>
    public const int Mode = 0x1A0;

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly string _service;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly MemoryStream _buffer = new();
    private DescriptorHandle? _file;
    private Files.Status _opened;
    private long? _checkedAt;
    private long _lost;
    private int _failed;
    private bool _isMidLine;

    /// <summary>A file at that path, opened with the first line.</summary>
    public LogFile(string path, TimeProvider time, ILogger log, string? service = null)
    {
        _service = service is null ? "" : $"service {service}: ";
        _path = path;
        _time = time;
        _log = log;
    }

    /// <inheritdoc/>
    public void Write(IReadOnlyList<OutgoingLine> lines)
    {
        if (Open() is { } refused)
        {
            Lose(lines.Count, refused);
            return;
        }

        _buffer.SetLength(0);
        if (_isMidLine)
        {
            _buffer.WriteByte((byte)'\n');
        }

        var ends = new int[lines.Count];
        for (var i = 0; i < lines.Count; i++)
        {
            _buffer.Write(Encoding.UTF8.GetBytes(lines[i].Text));
            _buffer.WriteByte((byte)'\n');
            ends[i] = (int)_buffer.Length;
        }

        var data = _buffer.GetBuffer().AsSpan(0, (int)_buffer.Length);
        var done = 0;
        while (done < data.Length)
        {
            var count = Files.Write(_file!, data[done..], out var error);
            if (count <= 0)
            {
                // Half a line stays, and is ended when there is room again.
                _isMidLine = done == 0 ? _isMidLine : data[done - 1] != (byte)'\n';
                Lose(ends.Count(end => end > done), error ?? new SystemCallError("write", 28));
                return;
            }

            done += count;
        }

        _isMidLine = false;
        if (_lost > 0)
        {
            _log.Warning("{Whose}log file {Path}: writing works again; {Lines} lines were lost", _service, _path, _lost);
            _lost = 0;
        }
    }

    /// <inheritdoc/>
    public void Dropped(long lines) =>
        _log.Warning("{Whose}log file {Path}: {Lines} lines came faster than they could be written and were lost", _service, _path, lines);

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        _buffer.Dispose();
    }

    /// <summary>Sees to it that the open file is the one at the path; looks no more than once a second.</summary>
    private SystemCallError? Open()
    {
        if (_checkedAt is { } at && _time.GetElapsedTime(at) < CheckInterval)
        {
            return _file is null ? new SystemCallError("open", _failed) : null;
        }

        _checkedAt = _time.GetTimestamp();
        if (_file is not null && Files.GetTargetStatus(_path, out var now) is null && now.Device == _opened.Device && now.Inode == _opened.Inode)
        {
            return null;
        }

        var opened = Files.OpenToAppend(_path, Mode, out var error);
        if (opened is null || Files.GetStatus(opened, out var status) is not null)
        {
            // Rotated away and not to be made anew: what is open is better than nothing.
            opened?.Dispose();
            _failed = error.Errno;
            return _file is null ? error : null;
        }

        _file?.Dispose();
        _file = opened;
        _opened = status;
        _isMidLine = false;
        return null;
    }

    private static string Remedy(string errno) => errno switch
    {
        "ENOENT" => "make the folder, or name another file",
        "EACCES" or "EPERM" or "EROFS" => "let the daemon's user write there, or name another file",
        "EISDIR" => "that is a folder: name a file in it",
        "ENOSPC" or "EDQUOT" => "make room",
        _ => "what is written meanwhile can still be read by \"listenctl logs\"",
    };

    private void Lose(int lines, SystemCallError why)
    {
        if (_lost == 0)
        {
            _log.Error("{Whose}log file {Path}: {Call}: {Errno} ({Reason}): lines are lost until it works again; {Remedy}", _service, _path, why.Call, why.Name, why.Text, Remedy(why.Name));
        }

        _lost += lines;
    }
}
